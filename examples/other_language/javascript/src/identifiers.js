import { PipestatError } from './errors.js'
import { isText } from './values.js'

/** Names that are no results (PS-ID-004). */
export const RESERVED = new Set([
  'meta', 'record_identifier', 'id', 'status', 'project_name', 'pipeline_name', 'sample_name',
  'pipestat_created_time', 'pipestat_modified_time', 'pipestat_extended_data',
])

/**
 * @param {unknown} name
 * @param {string} [what]
 */
export const checkIdentifier = (name, what = 'a record identifier') => {
  const good = typeof name === 'string' && isText(name) && !/\p{Cc}/u.test(name)
  const length = good ? [...name].length : 0
  if (length < 1 || length > 255) {
    throw new PipestatError('validation', `${what} has 1 to 255 characters, none of them a control character`)
  }
}

/**
 * Order by code points (PS-ID-003), which `<` is not: it compares halves of characters.
 * @param {string} a
 * @param {string} b
 */
export const byCodePoints = (a, b) => {
  const [left, right] = [[...a], [...b]]
  for (let i = 0; i < Math.min(left.length, right.length); i += 1) {
    const difference = Number(left[i]?.codePointAt(0)) - Number(right[i]?.codePointAt(0))
    if (difference) return difference
  }
  return left.length - right.length
}
