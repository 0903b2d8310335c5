const PRECISE = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/
const LOCAL = /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/

/** @param {string} text */
export const isLocal = (text) => LOCAL.test(text)

/**
 * A time in UTC, out of one or of a time in the zone of this process (PS-YAML-011, PS-YAML-012).
 * @param {string | null} text
 * @returns {string | null}
 */
export const asUtc = (text) => {
  if (text === null) return null
  if (PRECISE.test(text)) return Number.isNaN(Date.parse(text)) ? null : text
  const local = isLocal(text) ? Date.parse(text.replace(' ', 'T')) : NaN
  return Number.isNaN(local) ? null : new Date(local).toISOString().replace('Z', '000Z')
}

/** @param {string} text */
const atFaceValue = (text) => Date.parse(`${text.slice(0, 19).replace(' ', 'T')}Z`) / 1000

/**
 * pipestat changes its own local time and leaves the precise one, so the local one counts unless it
 * is the other in some time zone (PS-YAML-013).
 * @param {string | null} precise
 * @param {string | null} local
 */
export const timeThatCounts = (precise, local) => {
  const [preciseUtc, localUtc] = [asUtc(precise), asUtc(local)]
  if (!preciseUtc || !localUtc) return preciseUtc ?? localUtc
  const apart = Math.abs(atFaceValue(String(local)) - atFaceValue(preciseUtc))
  return apart > 14 * 3600 || apart % 900 ? localUtc : preciseUtc
}

/**
 * The time a microsecond later.
 * @param {string} time
 */
export const nextMicrosecond = (time) => {
  const micros = (Number(time.slice(20, 26)) + 1) % 1_000_000
  const second = Date.parse(`${time.slice(0, 19)}Z`) + (micros ? 0 : 1000)
  return `${new Date(second).toISOString().slice(0, 19)}.${String(micros).padStart(6, '0')}Z`
}
