/** Connections of a pool in use and idle, and how many wait for one. */
export interface PoolUse {
  readonly used: number
  readonly idle: number
  readonly waiting: number
}
