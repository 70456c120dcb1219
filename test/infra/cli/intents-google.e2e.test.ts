import { onGooglesStore } from '../../stores.ts'
import { everyIntent } from './intents-suite.ts'

onGooglesStore('ibt publish, for every intent', everyIntent)
