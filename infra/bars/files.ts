/** What a catalogue needs of the place where its files lie: a folder, or a bucket. */

/** `version` tells contents apart: it is another one after each write. */
export type StoredFile = { bytes: Uint8Array<ArrayBuffer>; version: string }

export type BarFiles = {
  /** Undefined when there is none. @throws BarsUnavailable */
  read(name: string): Promise<StoredFile | undefined>
  /**
   * Whole or not at all, and only while the file is at the version `after` (undefined: while there is none).
   * @returns false when somebody else was first; nothing was written then @throws BarsUnavailable
   */
  write(name: string, bytes: Uint8Array, after: string | undefined): Promise<boolean>
  /** Names of the files of one folder, without the folder. @throws BarsUnavailable */
  list(folder: string): Promise<string[]>
  /** The whole name of a file, for people. */
  place(name: string): string
  close(): Promise<void>
}
