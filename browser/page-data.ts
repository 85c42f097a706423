/** What the server wrote on the todo page for its script. Throws when it did not. */
export function pageData(name: 'api' | 'pageSize' | 'person'): string {
  const value = document.getElementById('todo-page')?.dataset[name]
  if (value === undefined) throw new Error(`The page does not say its ${name}.`)
  return value
}

/** The id of the person whom the page was drawn for. */
export const person = (): string => pageData('person')
