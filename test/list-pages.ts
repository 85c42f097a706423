/** Every order that a list of todos can be asked for. */
export const SORTS = ['id', 'created_at', 'updated_at', 'text'].flatMap((sort) => [
  sort,
  `-${sort}`,
])

/** Where the page of this `relation` is (RFC 8288), if the answer names one. */
export function link(
  { headers }: { readonly headers: Readonly<Record<string, unknown>> },
  relation: string,
): string | undefined {
  const links = String(headers.link).split(', ')
  return links
    .map((each) => /^<(.+)>; rel="(\w+)"$/.exec(each))
    .find((each) => each?.[2] === relation)?.[1]
}
