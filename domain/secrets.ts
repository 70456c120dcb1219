/**
 * What must not be written down: in log lines, in events, in answers. One place knows what a credential looks like.
 * A text loses the secret and keeps the rest, so that a reader still sees what it was about.
 */

export const hidden = '***'

const secretName =
  /^(.*[-_.])?(authorization|cookie|set-?cookie|pass(word|wd|phrase)?|secrets?|(id|access|refresh|auth|bearer|api)?[-_]?tokens?|api[-_]?key|private[-_]?key|credentials?|webhook([-_]?ur[il])?|smtp[-_]?ur[il])$/i

/** Whether a field, a header or a variable of this name holds a secret. */
export const isSecretName = (name: string): boolean => secretName.test(name.replaceAll(/([a-z0-9])([A-Z])/g, '$1_$2'))

type Rule = readonly [looksLike: RegExp, becomes: string]

const rules: readonly Rule[] = [
  [/-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(-----END [A-Z ]*PRIVATE KEY-----|$)/g, hidden],
  // the user and the password of an address
  [/\b([a-z][a-z0-9+.-]{0,20}:\/\/)[^\s/?#"'<>@:]{0,256}:[^\s/?#"'<>]{0,512}@/gi, `$1${hidden}@`],
  // addresses that are a secret by themselves: whoever knows them may post
  [/\b(https:\/\/hooks\.slack(?:-gov)?\.com\/)[^\s"'<>]+/gi, `$1${hidden}`],
  [
    /\b(https:\/\/(?:[\w-]+\.)?(?:discord(?:app)?\.com\/api\/webhooks|webhook\.office\.com|chat\.googleapis\.com)\/)[^\s"'<>]+/gi,
    `$1${hidden}`,
  ],
  [/\b(https?:\/\/[^\s/"'<>]{1,255}\/(?:[^\s?#"'<>]{0,256}\/)?(?:hooks?|webhooks?)\/)[^\s?#"'<>]+/gi, `$1${hidden}`],
  // parameters of an address, and what is written like them
  [
    /([?&;\s]|^)((?:[\w.-]{0,60}[-_])?(?:token|key|api_?key|secret|password|passwd|pwd|sig|signature|credential|access_?token|id_?token))=[^&\s"'<>#]+/gi,
    `$1$2=${hidden}`,
  ],
  [/\b(Bearer|Basic)\s+[A-Za-z0-9+/_.~=-]{6,}/gi, `$1 ${hidden}`],
  // tokens that are known by their beginning
  [/\beyJ[A-Za-z0-9_-]{5,}\.[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]*)?/g, hidden],
  [/\b(ya29\.[A-Za-z0-9_-]+|AIza[A-Za-z0-9_-]{20,}|GOCSPX-[A-Za-z0-9_-]+|xox[a-z]-[A-Za-z0-9-]+|gh[pousr]_[A-Za-z0-9]{20,})/g, hidden],
]

/** The text without what looks like a credential, and without those that are known by their value. */
export const withoutSecrets = (text: string, known: readonly string[] = []): string => {
  const rest = known.reduce((left, secret) => left.replaceAll(secret, hidden), text)
  return rules.reduce((left, [looksLike, becomes]) => left.replaceAll(looksLike, becomes), rest)
}

const isPlain = (value: object): boolean => {
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}

/** Deeper than anything of ours; what refers to itself ends here. */
const deepest = 12

/** The same for all texts of a plain value, and for whole fields by their name; what is neither array nor plain object stays as it is. */
export const valueWithoutSecrets = (value: unknown, known: readonly string[] = [], depth = 0): unknown => {
  if (typeof value === 'string') return withoutSecrets(value, known)
  if (typeof value !== 'object' || value === null) return value
  if (depth >= deepest) return hidden
  if (Array.isArray(value)) return value.map((one) => valueWithoutSecrets(one, known, depth + 1))
  if (!isPlain(value)) return value
  return Object.fromEntries(
    Object.entries(value).map(([name, one]) => [
      name,
      isSecretName(name) && one !== undefined && one !== null ? hidden : valueWithoutSecrets(one, known, depth + 1),
    ]),
  )
}
