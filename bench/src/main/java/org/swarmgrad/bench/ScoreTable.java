// The table of scores: for every row it starts the real command once a seed, times the process,
// plays new episodes with what it left, and says whether the row holds. It trains nothing itself.
package org.swarmgrad.bench;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.stream.LongStream;
import org.swarmgrad.measurement.Machine;

final class ScoreTable {
  static final String USAGE =
      "--scores [ROW ...] [--seeds 1..5] [--episodes 10000] [--rows FILE] [--out FOLDER] trains"
          + " each row with ./swarmgrad and judges it";

  private static final ObjectMapper MAPPER = new ObjectMapper();
  private static final String RESULTS = "scores.json";

  private final List<String> command;
  private final Path folder;
  private final long episodes;
  private final ArrayNode results = MAPPER.createArrayNode();

  /**
   * A table of its own folder.
   *
   * @param command that starts swarmgrad
   * @param folder of runs, logs and results
   * @param episodes of every evaluation
   */
  ScoreTable(List<String> command, Path folder, long episodes) {
    this.command = List.copyOf(command);
    this.folder = folder;
    this.episodes = episodes;
  }

  /** Reads the arguments after --scores, measures, prints; returns the exit status. */
  static int run(List<String> arguments) throws IOException {
    List<String> names = new ArrayList<>();
    String seeds = null;
    long episodes = 10_000;
    Path file = null;
    Path folder = null;
    for (int i = 0; i < arguments.size(); i++) {
      String argument = arguments.get(i);
      if (!argument.startsWith("--")) {
        names.add(argument);
        continue;
      }
      if (++i == arguments.size()) {
        throw new IllegalArgumentException(argument + " has no value; allowed: " + USAGE);
      }
      String value = arguments.get(i);
      switch (argument) {
        case "--seeds" -> seeds = value;
        case "--episodes" -> episodes = number(argument, value, Integer.MAX_VALUE);
        case "--rows" -> file = Path.of(value);
        case "--out" -> folder = Path.of(value);
        default ->
            throw new IllegalArgumentException(argument + " is no option; allowed: " + USAGE);
      }
    }
    Path launcher = Path.of("swarmgrad");
    if (!Files.isExecutable(launcher)) {
      throw new IllegalArgumentException(
          "there is no ./swarmgrad here; run --scores from the root of the sources");
    }
    List<ScoreRow> rows = choose(file == null ? ScoreRow.all() : ScoreRow.read(file), names);
    return new ScoreTable(
            List.of(launcher.toAbsolutePath().toString()),
            folder == null ? unusedFolder() : Files.createDirectories(folder),
            episodes)
        .measure(rows, seeds);
  }

  /** A whole number from 1. */
  static long number(String name, String text, long most) {
    try {
      long value = Long.parseLong(text);
      if (value > 0 && value <= most) {
        return value;
      }
    } catch (NumberFormatException failure) {
      // Falls through to the one message for both cases.
    }
    throw new IllegalArgumentException(
        name + " is '" + text + "'; allowed: whole numbers 1 to " + most);
  }

  private static List<ScoreRow> choose(List<ScoreRow> rows, List<String> names) {
    List<String> known = rows.stream().map(ScoreRow::name).toList();
    for (String name : names) {
      if (!known.contains(name)) {
        throw new IllegalArgumentException("row is '" + name + "'; allowed: " + known);
      }
    }
    return rows.stream().filter(row -> names.isEmpty() || names.contains(row.name())).toList();
  }

  private static Path unusedFolder() throws IOException {
    Path runs = Files.createDirectories(Path.of("runs"));
    for (int number = 1; ; number++) {
      try {
        return Files.createDirectory(runs.resolve(String.format("scores-%03d", number)));
      } catch (FileAlreadyExistsException taken) {
        // The next number.
      }
    }
  }

  /** "3" or "1..5". */
  static long[] seeds(String text) {
    String[] ends = text.split("\\.\\.", -1);
    try {
      long first = Long.parseLong(ends[0]);
      long last = Long.parseLong(ends[ends.length - 1]);
      if (ends.length <= 2 && first >= 0 && last >= first) {
        return LongStream.rangeClosed(first, last).toArray();
      }
    } catch (NumberFormatException failure) {
      // Falls through to the one message for both cases.
    }
    throw new IllegalArgumentException(
        "--seeds is '" + text + "'; allowed: a whole number, or FIRST..LAST");
  }

  /**
   * Measures the rows, one after the other.
   *
   * @param rows to measure
   * @param seeds in place of every row's own; null: the row's
   * @return exit status: 0 where every row holds, else 1
   */
  int measure(List<ScoreRow> rows, String seeds) throws IOException {
    double seconds = 0;
    for (ScoreRow row : rows) {
      seconds += row.seconds() * seeds(seeds == null ? row.seeds() : seeds).length;
    }
    // Building, where something is stale, is no part of a training's time.
    start(List.of("--version"), "version");
    say(
        "%s, %d cores; %.0f minutes of training where each takes what its row allows, evaluations"
            + " on top; runs and logs in %s",
        Machine.processorName(), Runtime.getRuntime().availableProcessors(), seconds / 60, folder);
    List<String> lines = new ArrayList<>();
    int failures = 0;
    for (ScoreRow row : rows) {
      try {
        ScoreOutcome outcome = measure(row, seeds(seeds == null ? row.seeds() : seeds));
        results.add(outcome.json());
        System.out.print(outcome.text());
        lines.add(outcome.line());
        failures += outcome.holds() ? 0 : 1;
      } catch (IOException failure) {
        // The rows that follow are worth their hours all the same.
        say("%n%s: FAILED, %s", row.name(), failure.getMessage());
        lines.add("| " + row.name() + " |".repeat(10) + " failed |");
        results.addObject().put("row", row.name()).put("failure", failure.getMessage());
        failures++;
      }
      Files.writeString(folder.resolve(RESULTS), results.toPrettyString() + "\n");
    }
    say("%n%s", ScoreOutcome.HEAD);
    lines.forEach(line -> say("%s", line));
    say(
        "%nMedian over seeds [least, greatest]; of five seeds these two bound the median with"
            + " probability 0.94. Results: %s",
        folder.resolve(RESULTS));
    return failures == 0 ? 0 : 1;
  }

  private ScoreOutcome measure(ScoreRow row, long[] seeds) throws IOException {
    List<String> play = List.of("eval", "--random", "--env", row.environment());
    double random = LearningCurve.teamReturn(result(play, row.name() + "-random"), row.group());
    double target = row.target(random);
    List<ScoreOutcome.Trial> trials = new ArrayList<>();
    for (long seed : seeds) {
      ScoreOutcome.Trial trial = trial(row, seed, target);
      trials.add(trial);
      say("%s, seed %d: %.4g after %.1f s", row.name(), seed, trial.sampled(), trial.wallSeconds());
    }
    return new ScoreOutcome(row, random, target, Collections.unmodifiableList(trials));
  }

  private ScoreOutcome.Trial trial(ScoreRow row, long seed, double target) throws IOException {
    String name = row.name() + "-" + seed;
    Path run = folder.resolve(name);
    List<String> train = new ArrayList<>(row.training());
    train.addAll(List.of("--seed", "" + seed, "--out", run.toString()));
    double wallSeconds = start(train, name + "-train");
    List<String> evaluate = new ArrayList<>(List.of("eval", "--run", run.toString()));
    if (row.randomGroup() != null) {
      evaluate.addAll(List.of("--random-group", row.randomGroup()));
    }
    JsonNode judged = result(evaluate, name + "-eval");
    LearningCurve curve = LearningCurve.read(run, row.group());
    int last = curve.score().length - 1;
    boolean playsWhatIsJudged = row.randomGroup() == null && !isShaped(run);
    return new ScoreOutcome.Trial(
        seed,
        wallSeconds,
        LearningCurve.teamReturn(judged, row.group()),
        LearningCurve.teamReturn(judged.path("greedy"), row.group()),
        last < 0 ? 0 : curve.agentSteps()[last],
        playsWhatIsJudged,
        playsWhatIsJudged ? curve.firstAt(target) : null,
        row.steadiness() == null ? null : curve.steadiness());
  }

  /** Whether training played with other parameters of the environment than evaluation does. */
  private static boolean isShaped(Path run) throws IOException {
    JsonNode stored = MAPPER.readTree(run.resolve("config.json").toFile());
    JsonNode parameters = stored.path("config").path("training_parameters");
    if (!parameters.isTextual()) {
      throw new IOException(run + " does not say its training_parameters");
    }
    return !parameters.textValue().isEmpty();
  }

  /** The JSON object that an evaluation prints last: by sampled actions, in it by greedy ones. */
  private JsonNode result(List<String> evaluation, String name) throws IOException {
    List<String> arguments = new ArrayList<>(evaluation);
    arguments.addAll(List.of("--episodes", "" + episodes, "--json"));
    start(arguments, name);
    List<String> lines = Files.readAllLines(output(name));
    return MAPPER.readTree(lines.isEmpty() ? "" : lines.get(lines.size() - 1));
  }

  private Path output(String name) {
    return folder.resolve(name + ".out");
  }

  /** Runs swarmgrad to its end; seconds of wall clock, from before the process starts. */
  private double start(List<String> arguments, String name) throws IOException {
    List<String> whole = new ArrayList<>(command);
    whole.addAll(arguments);
    Path errors = folder.resolve(name + ".err");
    ProcessBuilder builder =
        new ProcessBuilder(whole)
            .redirectInput(ProcessBuilder.Redirect.from(Path.of("/dev/null").toFile()))
            .redirectOutput(output(name).toFile())
            .redirectError(errors.toFile());
    long begin = System.nanoTime();
    Process process = builder.start();
    try {
      int status = process.waitFor();
      double seconds = (System.nanoTime() - begin) * 1e-9;
      if (status != 0) {
        List<String> said = Files.readAllLines(errors, StandardCharsets.UTF_8);
        throw new IOException(
            "swarmgrad "
                + String.join(" ", arguments)
                + " ended with status "
                + status
                + (said.isEmpty() ? "" : ": " + said.get(said.size() - 1)));
      }
      return seconds;
    } catch (InterruptedException stopped) {
      process.destroy();
      throw new IOException("interrupted while swarmgrad ran", stopped);
    }
  }

  private static void say(String format, Object... values) {
    System.out.println(String.format(Locale.ROOT, format, values));
  }
}
