/**
 * @typedef {'validation' | 'not-found' | 'layout' | 'document' | 'store'} Code
 *   Those of PS-CAP-003 that readers and emitters need.
 */

/** What is refused. `code` says why, for programs; the message says what and where. */
export class PipestatError extends Error {
  name = 'PipestatError'

  /**
   * @param {Code} code
   * @param {string} message
   */
  constructor(code, message) {
    super(message)
    this.code = code
  }
}
