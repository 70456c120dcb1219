/**
 * Google's Logging query language, as far as our filters use it: comparisons of fields, AND (a new line is one too), OR, NOT and parentheses.
 * OR binds tighter than AND, NOT tighter than both. What is not known here is refused, never guessed.
 * https://docs.cloud.google.com/logging/docs/view/logging-query-language
 */

export type Entry = { severity: string; resource: { type: string }; jsonPayload?: Record<string, unknown>; textPayload?: string }
export type Query = (entry: Entry) => boolean

const severities = ['DEFAULT', 'DEBUG', 'INFO', 'NOTICE', 'WARNING', 'ERROR', 'CRITICAL', 'ALERT', 'EMERGENCY']

// ── Words ──

type Token = { kind: 'open' | 'close' | 'operator' | 'string' | 'word' | 'line'; text: string }

const shapes: readonly (readonly [Token['kind'] | 'space', RegExp])[] = [
  ['line', /^\s*\n\s*/],
  ['space', /^[ \t]+/],
  ['open', /^\(/],
  ['close', /^\)/],
  ['operator', /^(=~|!~|!=|>=|<=|=|>|<|:)/],
  ['string', /^"(?:[^"\\]|\\.)*"/],
  ['word', /^(\*|[A-Za-z0-9_.-]+)/],
]

/** Of the escapes only those of the quotation mark and the backslash are used here. */
const unquoted = (literal: string): string =>
  literal.slice(1, -1).replace(/\\(.)/g, (_, escaped: string) => {
    if (escaped !== '"' && escaped !== '\\') throw new Error(`the escape \\${escaped} is not known here`)
    return escaped
  })

const tokensOf = (query: string): Token[] => {
  const tokens: Token[] = []
  for (let rest = query.trim(); rest !== ''; ) {
    const found = shapes.map(([kind, shape]) => [kind, shape.exec(rest)?.[0]] as const).find(([, text]) => text !== undefined)
    if (found === undefined) throw new Error(`the query cannot be read at: ${rest.slice(0, 40)}`)
    const [kind, text] = found as [Token['kind'] | 'space', string]
    if (kind !== 'space') tokens.push({ kind, text: kind === 'string' ? unquoted(text) : text })
    rest = rest.slice(text.length)
  }
  return tokens
}

// ── Comparisons ──

const fieldShape = /^(severity|resource\.type|textPayload|jsonPayload(\.[A-Za-z_][A-Za-z0-9_]*)+)$/

const fieldOf = (entry: Entry, field: string): unknown => {
  let value: unknown = entry
  for (const name of field.split('.'))
    value = typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined
  return value
}

const rankOf = (severity: string): number => {
  const rank = severities.indexOf(severity)
  if (rank < 0) throw new Error(`there is no severity ${severity}`)
  return rank
}

/** RE2 knows neither of these, and JavaScript would take them. */
const regularExpression = (text: string): RegExp => {
  if (/\(\?[=!<]|\\[1-9]/.test(text)) throw new Error(`RE2 has no look-around and no back reference: ${text}`)
  return new RegExp(text)
}

const comparison = (field: string, operator: string, { kind, text }: Token): Query => {
  if (!fieldShape.test(field)) throw new Error(`the field ${field} is not known here`)
  if (operator === ':' && kind === 'word' && text === '*') return (entry) => fieldOf(entry, field) !== undefined
  if (operator === '=~' && kind === 'string') {
    const expression = regularExpression(text)
    return (entry) => {
      const value = fieldOf(entry, field)
      return typeof value === 'string' && expression.test(value)
    }
  }
  if (operator === '=' && kind === 'string') return (entry) => String(fieldOf(entry, field)).toLowerCase() === text.toLowerCase()
  if (operator === '>=' && field === 'severity') {
    const least = rankOf(text)
    return (entry) => rankOf(entry.severity) >= least
  }
  if (operator === '>=' && /^\d+$/.test(text)) return (entry) => Number(fieldOf(entry, field) ?? Number.NaN) >= Number(text)
  throw new Error(`${field}${operator}${text} is not known here`)
}

// ── Sentences ──

/** @throws Error at what the language does not know, and at what this reader of it does not */
export const readQuery = (text: string): Query => {
  const tokens = tokensOf(text)
  let next = 0
  const peek = (): Token | undefined => tokens[next]
  const isWord = (word: string): boolean => peek()?.kind === 'word' && peek()?.text === word
  const skipLines = (): void => {
    while (peek()?.kind === 'line') next++
  }
  const take = (kind: Token['kind']): Token => {
    const token = tokens[next++]
    if (token?.kind !== kind) throw new Error(`${kind} is expected, not ${token?.text ?? 'the end'}`)
    return token
  }
  /** `("a" OR "b")` after an equals sign. */
  const values = (): Token[] => {
    take('open')
    const found = [take('string')]
    while (isWord('OR')) {
      next++
      found.push(take('string'))
    }
    take('close')
    return found
  }
  const simple = (): Query => {
    if (isWord('NOT')) {
      next++
      const inner = simple()
      return (entry) => !inner(entry)
    }
    if (peek()?.kind === 'open') {
      next++
      skipLines()
      const inner = all()
      skipLines()
      take('close')
      return inner
    }
    const { text: field } = take('word')
    const { text: operator } = take('operator')
    if (peek()?.kind === 'open') {
      const some = values().map((value) => comparison(field, operator, value))
      return (entry) => some.some((one) => one(entry))
    }
    const value = tokens[next++]
    if (value === undefined || (value.kind !== 'string' && value.kind !== 'word')) throw new Error(`${field}${operator} has no value`)
    return comparison(field, operator, value)
  }
  const followedByOr = (): boolean => {
    const here = next
    skipLines()
    if (isWord('OR')) return true
    next = here
    return false
  }
  const any = (): Query => {
    const parts = [simple()]
    while (followedByOr()) {
      next++
      skipLines()
      parts.push(simple())
    }
    return (entry) => parts.some((part) => part(entry))
  }
  const all = (): Query => {
    const parts = [any()]
    while (peek() !== undefined && peek()?.kind !== 'close') {
      const newLine = peek()?.kind === 'line'
      skipLines()
      if (peek() === undefined || peek()?.kind === 'close') break
      if (isWord('AND')) next++
      else if (!newLine) throw new Error(`AND, OR or a new line is expected, not ${peek()!.text}`)
      skipLines()
      parts.push(any())
    }
    return (entry) => parts.every((part) => part(entry))
  }
  const query = all()
  if (next < tokens.length) throw new Error(`nothing is expected after ${tokens[next - 1]?.text}`)
  return query
}

/** A label's value: `EXTRACT(field)` or `REGEXP_EXTRACT(field, "…")`; empty where there is none. */
export const readExtractor = (text: string): ((entry: Entry) => string) => {
  const [, whole, part, expression] = /^(?:EXTRACT\(([\w.]+)\)|REGEXP_EXTRACT\(([\w.]+), ("(?:[^"\\]|\\.)*")\))$/.exec(text) ?? []
  const field = whole ?? part
  if (field === undefined || !fieldShape.test(field)) throw new Error(`the extractor ${text} is not known here`)
  const shape = expression === undefined ? undefined : regularExpression(unquoted(expression))
  return (entry) => {
    const value = String(fieldOf(entry, field) ?? '')
    return shape === undefined ? value : (shape.exec(value)?.[1] ?? '')
  }
}
