import './main.css'
import { switchTheme } from './theme.ts'
import { showLocalTimes } from './times.ts'
import { startTodoPage } from './todos/page.ts'

switchTheme()
showLocalTimes()
const todos = document.getElementById('todos')
if (todos) startTodoPage(todos)
