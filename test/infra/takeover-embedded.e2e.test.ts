import { onTheEmbeddedStore } from '../stores.ts'
import { twoEngines } from './takeover-suite.ts'

onTheEmbeddedStore('two engines on one journal', twoEngines)
