import { keys } from '../src/features/todos/store.ts'
import type { World } from './world.ts'

/** Adds many todos by one statement, past the service, and so without being counted in PostgreSQL. Every third is done. */
export async function addMany(
  { db }: World,
  owner_id: number,
  texts: readonly string[],
): Promise<void> {
  const at = '2026-01-31T12:00:00.000Z'
  const rows = texts.map((text, index) => ({
    owner_id,
    ...keys(text),
    completed_at: index % 3 === 0 ? at : null,
    created_at: at,
    updated_at: at,
  }))
  await db.insertInto('todos').values(rows).execute()
}
