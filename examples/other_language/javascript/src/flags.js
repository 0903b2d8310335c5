import { createHash } from 'node:crypto'
import { lstat, readdir } from 'node:fs/promises'
import { join } from 'node:path'

/** @import { Flag } from './results.js' */

export const STATUSES = ['running', 'completed', 'failed', 'waiting', 'partial']

/**
 * When each flag in a folder was made, by which other programs set a status (spec/writers.md, Flags).
 * Links are the mirror that writers keep.
 * @param {string} folder
 */
export const readFlags = async (folder) => {
  const found = await readdir(folder, { withFileTypes: true }).catch(() => [])
  const names = found.filter((file) => file.isFile() && file.name.endsWith('.flag')).map(({ name }) => name)
  const times = names.map(async (name) => (await lstat(join(folder, name)).catch(() => null))?.mtime)
  return new Map((await Promise.all(times)).map((time, i) => [names[i], time]))
}

/**
 * The status that another program set for a record: of several flags the latest.
 * @param {Awaited<ReturnType<typeof readFlags>>} flags
 * @param {string[]} statuses
 * @returns {(namespace: string, record: string) => Flag | undefined}
 */
export const flagAmong = (flags, statuses) => (namespace, record) => {
  /** @type {Flag | undefined} */
  let latest
  for (const status of flags.size ? statuses : []) {
    const time = flags.get(flagName(namespace, record, status))
    if (time && !(latest && latest.time >= time)) latest = { status, time }
  }
  return latest
}

/**
 * @param {string} namespace
 * @param {string} record
 * @param {string} status
 */
const flagName = (namespace, record, status) => {
  const identifiers = `${encoded(namespace)}_${encoded(record)}`
  const name = `${identifiers}_${status}.flag`
  return bytes(name) > 255 ? `${shortened(identifiers, identifiers)}_${status}.flag` : name
}

/**
 * An identifier as part of a file name (PS-ID-005, PS-ID-006).
 * @param {string} identifier
 */
const encoded = (identifier) => {
  const escaped = identifier.replace(/^\.|[/\\%:*?"<>|\p{Cc}]/gu, (character) =>
    Buffer.from(character).toString('hex').toUpperCase().replace(/../g, '%$&'),
  )
  return bytes(escaped) > 200 ? shortened(escaped, identifier) : escaped
}

/**
 * @param {string} text
 * @param {string} hashed
 */
const shortened = (text, hashed) => {
  let prefix = ''
  for (const character of text) {
    if (bytes(prefix + character) > 183) break
    prefix += character
  }
  return `${prefix}~${createHash('sha256').update(hashed).digest('hex').slice(0, 16)}`
}

/** @param {string} text */
const bytes = (text) => Buffer.byteLength(text)
