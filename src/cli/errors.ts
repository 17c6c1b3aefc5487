// Both have a message of one line, which says what would be right.

/** What was written on the command line is wrong. */
export class UsageError extends Error {
  static {
    this.prototype.name = 'UsageError'
  }
}

/** Something that the program needs is not there. */
export class MissingError extends Error {
  static {
    this.prototype.name = 'MissingError'
  }
}
