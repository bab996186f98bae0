// What every command of the command line says about itself and does.
package org.swarmgrad.cli;

import org.apache.commons.cli.CommandLine;
import org.apache.commons.cli.Options;

/** One command; Main adds --help to its options. */
interface Command {
  /** Exit status of a run that found what it looked for wrong. */
  int FAILURE = 1;

  /** First word of the command line. */
  String name();

  /** One line. */
  String summary();

  /** What follows "swarmgrad", for example "train --env ID [options]". */
  String usage();

  /** A whole command line that works. */
  String example();

  /** Fresh options without --help. */
  Options options();

  /** Whether words that follow no option are its files. */
  default boolean takesFiles() {
    return false;
  }

  /**
   * Runs. With --json the last line of standard output is one JSON object; progress goes to
   * standard error.
   *
   * @return exit status: 0, or FAILURE
   * @throws Exception Main turns IllegalArgumentException and UsageException into exit status 2,
   *     others into 1
   */
  int run(CommandLine line, Terminal terminal) throws Exception;
}
