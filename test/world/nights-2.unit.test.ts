import { keepsEveryPromise } from './standard-nights.ts'

keepsEveryPromise(2)
