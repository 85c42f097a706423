import { isIPv6 } from 'node:net'

const MAPPED = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i

/**
 * The network that an address is counted by: an IPv4 address is one by itself, but a household has
 * a whole /64 of IPv6 addresses (RFC 6177 §2), of which each could be used for one guess.
 */
export function networkOf(address: string): string {
  const [, ipv4] = MAPPED.exec(address) ?? []
  if (ipv4) return ipv4
  const [unscoped = ''] = address.split('%', 1)
  if (!isIPv6(unscoped)) return address
  // As URLs spell it: lower case, without leading zeros, the last 32 bits not in dots.
  const spelled = new URL(`http://[${unscoped}]`).hostname.slice(1, -1)
  const [head = '', tail] = spelled.split('::')
  const before = head.split(':').filter(Boolean)
  const after = (tail ?? '').split(':').filter(Boolean)
  const zeros = Array.from({ length: 8 - before.length - after.length }, () => '0')
  return `${[...before, ...zeros, ...after].slice(0, 4).join(':')}::/64`
}
