import { readFile, rename, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { flagAmong, readFlags, STATUSES } from './flags.js'
import { PipestatError, reportDocument, Results } from './index.js'

/**
 * @import { Report } from './index.js'
 * @import { Options } from './results.js'
 */

export * from './index.js'

/**
 * Reads a results file; one that is not there yet has no records.
 * @param {string} path
 * @param {Options & { flagFolder?: string, statuses?: string[] }} [options]
 *   `flagFolder` is where other programs, such as looper and pipestat, set a status by a flag
 */
export const readResults = async (path, { flagFolder = dirname(path), statuses = STATUSES, ...options } = {}) => {
  // Before the file, so that no flag is older than what is read after it (PS-YAML-038).
  const flagOf = flagAmong(await readFlags(flagFolder), statuses)
  const bytes = await readFile(path).catch((error) => {
    if (error.code === 'ENOENT') return ''
    throw new PipestatError('store', `${path} cannot be read: ${error.message}`)
  })
  try {
    return new Results(bytes, { flagOf, ...options })
  } catch (error) {
    if (error instanceof PipestatError) error.message = `${path}: ${error.message}`
    throw error
  }
}

/**
 * Writes a report document; the file gets its name when it is complete.
 * @param {string} file `*.pipestat.json`
 * @param {Report} report
 */
export const emit = async (file, report) => {
  if (!file.endsWith('.pipestat.json')) {
    throw new PipestatError('validation', `${file} does not end in .pipestat.json`)
  }
  const text = reportDocument(report)
  const partial = join(dirname(file), `.partial-${crypto.randomUUID()}`)
  try {
    await writeFile(partial, `${text}\n`, { flag: 'wx' })
    await rename(partial, file)
  } catch (error) {
    await rm(partial, { force: true })
    throw error
  }
}
