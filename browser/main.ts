import './main.css'
import { switchTheme } from './theme.ts'

switchTheme()
