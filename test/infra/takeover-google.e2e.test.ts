import { onGooglesStore } from '../stores.ts'
import { twoEngines } from './takeover-suite.ts'

onGooglesStore('two engines on one journal', twoEngines)
