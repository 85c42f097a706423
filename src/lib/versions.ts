/** The versions for which a change is meant: some, or all but some. Undefined means any. */
export type Versions = readonly number[] | { readonly except: readonly number[] }

export function allows(versions: Versions | undefined, version: number): boolean {
  if (versions === undefined) return true
  return 'except' in versions ? !versions.except.includes(version) : versions.includes(version)
}
