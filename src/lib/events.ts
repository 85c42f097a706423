import { channel } from 'node:diagnostics_channel'

/** What happens in the features and is counted elsewhere. */

/** A password that did not fit (`wrong`), or was not looked at after too many (`limited`). */
export const signInFailures = channel('todo-app:sign-in-failures')
