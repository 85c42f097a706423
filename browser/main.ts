import './main.css'
import { switchTheme } from './theme.ts'
import { showLocalTimes } from './times.ts'

switchTheme()
showLocalTimes()
