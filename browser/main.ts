import './main.css'
import { sendOnce } from './send-once.ts'
import { switchTheme } from './theme.ts'
import { showLocalTimes } from './times.ts'
import { startTodoPage } from './todos/page.ts'

switchTheme()
showLocalTimes()
const todos = document.getElementById('todos')
if (todos) startTodoPage(todos)
else sendOnce()
