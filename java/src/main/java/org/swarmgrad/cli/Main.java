// The entry of the command line: finds the command, reads its options, turns failures into one line
// and an exit status.
package org.swarmgrad.cli;

import java.io.IOException;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import org.apache.commons.cli.CommandLine;
import org.apache.commons.cli.DefaultParser;
import org.apache.commons.cli.MissingArgumentException;
import org.apache.commons.cli.Option;
import org.apache.commons.cli.Options;
import org.apache.commons.cli.ParseException;
import org.apache.commons.cli.UnrecognizedOptionException;
import org.swarmgrad.CancelledException;
import org.swarmgrad.CompilationException;
import org.swarmgrad.Swarmgrad;
import org.swarmgrad.SwarmgradException;

/** The command line of swarmgrad. */
public final class Main {
  private static final int USAGE = 2;
  private static final int INTERRUPTED = 130;

  /** In the order of the help. */
  private static final List<Command> COMMANDS =
      List.of(
          new TrainCommand(),
          new EvalCommand(),
          new CompareCommand(),
          new VerifyCommand(),
          new BenchCommand(),
          new TraceCommand(),
          new BatchCommand(),
          new EnvironmentsCommand(),
          new NewEnvironmentCommand(),
          new DevicesCommand());

  private Main() {}

  /**
   * Runs a command and exits: 0 success, 1 failure, 2 wrong use, 130 interrupted.
   *
   * @param arguments the command and its options
   */
  public static void main(String[] arguments) {
    System.exit(run(System.out, System.err, arguments));
  }

  /** Runs a command; returns the exit status. A result that could not be written is a failure. */
  static int run(PrintStream out, PrintStream err, String... arguments) {
    int status = dispatch(out, err, arguments);
    return out.checkError() && status == 0
        ? fail(err, "standard output was closed or could not be written", Command.FAILURE)
        : status;
  }

  private static int dispatch(PrintStream out, PrintStream err, String[] arguments) {
    if (arguments.length == 0 || List.of("help", "--help", "-h").contains(arguments[0])) {
      out.print(overview());
      return arguments.length == 0 ? USAGE : 0;
    }
    if (arguments[0].equals("--version")) {
      out.println("swarmgrad " + Swarmgrad.version());
      return 0;
    }
    for (Command command : COMMANDS) {
      if (command.name().equals(arguments[0])) {
        return run(command, out, err, Arrays.copyOfRange(arguments, 1, arguments.length));
      }
    }
    String names = COMMANDS.stream().map(Command::name).collect(Collectors.joining(", "));
    return fail(err, "command is '" + arguments[0] + "'; allowed: " + names, USAGE);
  }

  private static int run(Command command, PrintStream out, PrintStream err, String[] arguments) {
    if (Arrays.asList(arguments).contains("--help")) {
      out.print(help(command));
      return 0;
    }
    try {
      CommandLine line = parse(command, arguments);
      return command.run(line, new Terminal(out, err, line.hasOption("json")));
    } catch (ParseException | UsageException | IllegalArgumentException failure) {
      return fail(err, failure.getMessage() + " (swarmgrad " + command.name() + " --help)", USAGE);
    } catch (CancelledException cancelled) {
      return fail(err, "interrupted", INTERRUPTED);
    } catch (CompilationException failure) {
      err.print(failure.diagnostics());
      return fail(err, failure.getMessage(), Command.FAILURE);
    } catch (UncheckedIOException failure) {
      return fail(err, describe(failure.getCause()), Command.FAILURE);
    } catch (SwarmgradException | IOException failure) {
      return fail(err, describe(failure), Command.FAILURE);
    } catch (OutOfMemoryError failure) {
      return fail(err, "Java ran out of memory: " + failure.getMessage(), Command.FAILURE);
    } catch (Exception failure) {
      failure.printStackTrace(err);
      return fail(err, "this is a defect of swarmgrad: " + failure, Command.FAILURE);
    }
  }

  private static CommandLine parse(Command command, String[] arguments) throws ParseException {
    Options options = command.options();
    CommandLine line;
    try {
      line = DefaultParser.builder().setAllowPartialMatching(false).get().parse(options, arguments);
    } catch (MissingArgumentException failure) {
      Option option = failure.getOption();
      throw new UsageException(
          "--"
              + option.getLongOpt()
              + " has no value; allowed: --"
              + option.getLongOpt()
              + " "
              + option.getArgName());
    } catch (UnrecognizedOptionException failure) {
      String names =
          options.getOptions().stream()
              .map(option -> "--" + option.getLongOpt())
              .collect(Collectors.joining(", "));
      throw new UsageException(
          failure.getOption() + " is no option of " + command.name() + "; allowed: " + names);
    }
    if (!line.getArgList().isEmpty() && !command.takesFiles()) {
      throw new UsageException(
          "'"
              + line.getArgList().get(0)
              + "' follows no option; allowed: options and their values");
    }
    for (Option option : line.getOptions()) {
      if (line.getOptionValues(option) != null
          && line.getOptionValues(option).length > 1
          && !repeats(option)) {
        throw new UsageException(
            "--" + option.getLongOpt() + " is given more than once; allowed: once");
      }
    }
    return line;
  }

  private static boolean repeats(Option option) {
    return option.getArgs() == Option.UNLIMITED_VALUES
        || List.of("param", "training-param", "set", "random-group").contains(option.getLongOpt());
  }

  /** The text of a file's failure often is its path alone. */
  private static String describe(Exception failure) {
    String message = failure.getMessage() == null ? failure.toString() : failure.getMessage();
    if (!(failure instanceof FileSystemException file) || file.getReason() != null) {
      return message;
    }
    return switch (file) {
      case NoSuchFileException missing -> message + " does not exist, or cannot be made there";
      case AccessDeniedException denied ->
          message + " may not be read or written: permission denied";
      case FileAlreadyExistsException existing when !message.contains(" ") ->
          message + " exists already";
      default -> message;
    };
  }

  private static int fail(PrintStream err, String message, int status) {
    err.println("swarmgrad: " + message.replace('\n', ' '));
    return status;
  }

  private static String overview() {
    StringBuilder text =
        new StringBuilder("swarmgrad trains one policy shared by a team of agents.\n\nCommands:\n");
    for (Command command : COMMANDS) {
      text.append(String.format("  %-9s %s%n", command.name(), command.summary()));
    }
    return text.append(
            "\n"
                + "swarmgrad COMMAND --help says more, --version which version. A start: swarmgrad"
                + " train --env simple_spread_v3\n")
        .toString();
  }

  private static String help(Command command) {
    StringWriter text = new StringWriter();
    PrintWriter writer = new PrintWriter(text);
    writer.printf("%s%n%nUsage: swarmgrad %s%n%n", command.summary(), command.usage());
    Options options = command.options();
    options.addOption(Option.builder().longOpt("help").desc("show this text").get());
    for (Option option : options.getOptions()) {
      String name = "--" + option.getLongOpt() + (option.hasArg() ? " " + option.getArgName() : "");
      writer.printf(
          "  %-28s %s%n", name, option.getDescription().replace("\n", "\n" + " ".repeat(31)));
    }
    writer.printf("%nExample: swarmgrad %s%n", command.example());
    return text.toString();
  }
}
