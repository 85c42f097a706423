import { hash, randomBytes } from 'node:crypto'

/** A secret that cannot be guessed: 256 random bits, base64url (OWASP ASVS 5.0, 7.2.3). */
export const randomSecret = (): string => randomBytes(32).toString('base64url')

/** Whether text could be such a secret. */
export const isRandomSecret = (text: string): boolean => /^[\w-]{43}$/.test(text)

/**
 * What the database keeps of a random secret. A fast hash is right here, since 256 random bits
 * cannot be tried out; a password needs `passwords.ts`.
 */
export const digest = (secret: string): string => hash('sha256', secret, 'base64url')
