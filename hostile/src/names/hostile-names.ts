/** What may be handed in as the name of a topic or a group, and must never become a path. */
export const HOSTILE_NAMES: readonly string[] = [
  '',
  '.',
  '..',
  '../escape',
  '../../../../tmp/escape',
  '/etc/passwd',
  'a/b',
  'a\\b',
  'nul\u0000l',
  'line\nbreak',
  'x'.repeat(300),
  'Оrders', // A Cyrillic letter first.
  'ordеrs', // And one inside.
  'orders\u200b',
  'orders\u202e',
  'ｏｒｄｅｒｓ',
  'orders.bak',
  'con:',
]

/** Names that are allowed, and mean something to JavaScript. */
export const PROTOTYPE_NAMES: readonly string[] = ['__proto__', 'constructor', 'toString', 'hasOwnProperty']
