import { onTheEmbeddedStore } from '../../stores.ts'
import { everyIntent } from './intents-suite.ts'

onTheEmbeddedStore('ibt publish, for every intent', everyIntent)
