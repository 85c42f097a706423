/**
 * Whether a key is for the letters that are being composed, as those of Japanese are. Safari says so of the key
 * that ends the composing by its old code alone.
 */
export const isComposing = (event: KeyboardEvent | undefined): boolean =>
  event !== undefined && (event.isComposing || event.keyCode === 229)
