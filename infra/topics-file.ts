/** Reads topics.yaml: plain YAML 1.2 without anchors, aliases, tags, merge keys or double keys, so that everybody reads the same. */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { isAlias, isNode, parseDocument, visit } from 'yaml'
import { decodeTopics, type Topics } from '../domain/topics.ts'

export const topicsPath = fileURLToPath(new URL('../topics.yaml', import.meta.url))

/** @throws Error in one line that names the file, the place and what is wrong */
export const parseTopics = (text: string, name = 'topics.yaml'): Topics => {
  const document = parseDocument(text, { strict: true, uniqueKeys: true, version: '1.2', schema: 'core', merge: false })
  const fault = document.errors[0] ?? document.warnings[0]
  if (fault) throw new Error(`${name}: ${fault.message.split('\n')[0]}`)
  visit(document, (_key, node) => {
    if (isAlias(node) || (isNode(node) && 'anchor' in node && node.anchor)) throw new Error(`${name}: anchors and aliases are not allowed`)
  })
  const topics = decodeTopics(document.toJS())
  if (typeof topics === 'string') throw new Error(`${name}: ${topics}`)
  return topics
}

/** @throws Error when the file cannot be read or is wrong */
export const readTopics = (path = topicsPath): Topics => parseTopics(readFileSync(path, 'utf8'), path === topicsPath ? 'topics.yaml' : path)
