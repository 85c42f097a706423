/** Gives what `make` makes, which is made when it is first asked for: no start waits for it. */
export function lazy<Value>(make: () => Value): () => Value {
  let made: Value | undefined
  return () => (made ??= make())
}
