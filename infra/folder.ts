/** Folders that a user names. */
import { mkdirSync } from 'node:fs'

/** Makes it where it is missing. @param asked the variable or argument that names it @throws Error in one line that says so */
export const makeFolder = (asked: string, folder: string): void => {
  try {
    mkdirSync(folder, { recursive: true })
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    throw new Error(`${asked}: ${folder} ${code === 'EEXIST' ? 'is not a folder' : `cannot be made (${code})`}`, { cause: error })
  }
}
