import './main.css'
import { sendOnce } from './send-once.ts'
import { askBeforeSigningOut } from './sign-out.ts'
import { switchTheme } from './theme.ts'
import { showLocalTimes } from './times.ts'
import { forgetAll } from './todos/notes.ts'
import { startTodoPage } from './todos/page.ts'

switchTheme()
showLocalTimes()
// A session that only ended leaves what waits for the person to sign in again.
if (document.querySelector('[data-flash="signed-out"], [data-flash="account-erased"]')) forgetAll()
const todos = document.getElementById('todos')
if (todos) startTodoPage(todos)
else {
  askBeforeSigningOut()
  sendOnce()
}
