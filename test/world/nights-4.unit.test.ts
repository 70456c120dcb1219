import { keepsEveryPromise } from './standard-nights.ts'

keepsEveryPromise(4)
