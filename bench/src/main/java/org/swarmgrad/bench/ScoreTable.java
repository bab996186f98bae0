// The table of scores: for every row it starts the real command once a seed, times the process,
// plays new episodes with what it left, and says whether the row holds. It trains nothing itself.
package org.swarmgrad.bench;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.function.ToDoubleFunction;
import java.util.stream.LongStream;
import org.swarmgrad.measurement.Machine;
import org.swarmgrad.measurement.Throughput;

final class ScoreTable {
  static final String USAGE =
      "--scores [ROW ...] [--seeds 1..5] [--episodes 10000] [--rows FILE] [--out FOLDER] trains"
          + " each row with ./swarmgrad and judges it";

  private static final ObjectMapper MAPPER =
      new ObjectMapper().setPropertyNamingStrategy(PropertyNamingStrategies.SNAKE_CASE);
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

  /**
   * What one training gave. It plays the game that is judged, unless rewards are shaped or the other
   * side plays otherwise; only then does `firstAtTarget` mean anything, and is null where no batch
   * got there. `steadiness` is null where the row does not ask for it.
   */
  record Trial(
      long seed,
      double wallSeconds,
      double sampled,
      double greedy,
      double agentSteps,
      boolean playsWhatIsJudged,
      LearningCurve.Moment firstAtTarget,
      Double steadiness) {}

  /** A row and everything that was found. */
  record Outcome(ScoreRow row, double random, double target, List<Trial> trials) {
    boolean reaches() {
      if (row.shareOfSeeds() == null) {
        return median(Trial::sampled) >= target;
      }
      return reaching() >= row.shareOfSeeds() * trials.size();
    }

    long reaching() {
      return trials.stream().filter(trial -> trial.sampled >= target).count();
    }

    boolean isInTime() {
      return median(Trial::wallSeconds) <= row.seconds();
    }

    boolean isSteady() {
      return row.steadiness() == null || median(Trial::steadiness) >= row.steadiness();
    }

    boolean holds() {
      return reaches() && isInTime() && isSteady();
    }

    double median(ToDoubleFunction<Trial> value) {
      return Throughput.median(values(value));
    }

    private List<Double> values(ToDoubleFunction<Trial> value) {
      return trials.stream().map(value::applyAsDouble).toList();
    }

    private List<LearningCurve.Moment> moments() {
      return trials.stream().map(Trial::firstAtTarget).filter(moment -> moment != null).toList();
    }
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
        "%s, %d cores; %.0f minutes of training where each takes what its row allows, evaluations on"
            + " top; runs and logs in %s",
        Machine.processorName(), Runtime.getRuntime().availableProcessors(), seconds / 60, folder);
    List<String> lines = new ArrayList<>();
    int failures = 0;
    for (ScoreRow row : rows) {
      try {
        Outcome outcome = measure(row, seeds(seeds == null ? row.seeds() : seeds));
        results.add(json(outcome));
        print(outcome);
        lines.add(line(outcome));
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
    say(
        "%n| task | random | reach | score | greedy | within | took | agent-steps | first at the"
            + " mark | published steps | holds |%n|%s",
        " --- |".repeat(11));
    lines.forEach(line -> say("%s", line));
    say(
        "%nMedian over seeds [least, greatest]; of five seeds these two bound the median with"
            + " probability 0.94. Results: %s",
        folder.resolve(RESULTS));
    return failures == 0 ? 0 : 1;
  }

  private Outcome measure(ScoreRow row, long[] seeds) throws IOException {
    double random =
        LearningCurve.teamReturn(
            result(
                List.of("eval", "--random", "--env", row.environment()),
                List.of(),
                row.name() + "-random"),
            row.group());
    double target = row.target(random);
    List<Trial> trials = new ArrayList<>();
    for (long seed : seeds) {
      trials.add(trial(row, seed, target));
      Trial trial = trials.get(trials.size() - 1);
      say("%s, seed %d: %.4g after %.1f s", row.name(), seed, trial.sampled, trial.wallSeconds);
    }
    return new Outcome(row, random, target, Collections.unmodifiableList(trials));
  }

  private Trial trial(ScoreRow row, long seed, double target) throws IOException {
    String name = row.name() + "-" + seed;
    Path run = folder.resolve(name);
    List<String> train = new ArrayList<>(row.training());
    train.addAll(List.of("--seed", "" + seed, "--out", run.toString()));
    double wallSeconds = start(train, name + "-train");
    List<String> evaluate = new ArrayList<>(List.of("eval", "--run", run.toString()));
    if (row.randomGroup() != null) {
      evaluate.addAll(List.of("--random-group", row.randomGroup()));
    }
    JsonNode sampled = result(evaluate, List.of(), name + "-sampled");
    JsonNode greedy = result(evaluate, List.of("--greedy"), name + "-greedy");
    LearningCurve curve = LearningCurve.read(run, row.group());
    int last = curve.score().length - 1;
    boolean playsWhatIsJudged = row.randomGroup() == null && !isShaped(run);
    return new Trial(
        seed,
        wallSeconds,
        LearningCurve.teamReturn(sampled, row.group()),
        LearningCurve.teamReturn(greedy, row.group()),
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

  /** The JSON object that an evaluation prints last. */
  private JsonNode result(List<String> first, List<String> rest, String name) throws IOException {
    List<String> arguments = new ArrayList<>(first);
    arguments.addAll(rest);
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

  private static void print(Outcome outcome) {
    ScoreRow row = outcome.row;
    say(
        "%n%s: %s, %d seeds, %s",
        row.name(),
        String.join(" ", row.training()),
        outcome.trials.size(),
        outcome.holds() ? "HOLDS" : "MISSES");
    say("  random play   %.4g", outcome.random);
    say(
        "  score         %s by %d of %d seeds; to reach: %.4g, %s",
        spread("%.4g", outcome.values(Trial::sampled)),
        outcome.reaching(),
        outcome.trials.size(),
        outcome.target,
        row.source());
    say("  greedy        %s", spread("%.4g", outcome.values(Trial::greedy)));
    say(
        "  wall clock    %s s, allowed %.0f",
        spread("%.1f", outcome.values(Trial::wallSeconds)), row.seconds());
    say("  agent-steps   %s million", millions(outcome));
    say("  batch mean    first there: %s", first(outcome));
    if (row.steadiness() != null) {
      say(
          "  last fifth    %s of the best fifth, at least %.2f",
          spread("%.3f", outcome.values(Trial::steadiness)), row.steadiness());
    }
    if (row.published() != null) {
      say("  published     %s", row.published());
    }
  }

  private static String first(Outcome outcome) {
    if (!outcome.trials.stream().allMatch(Trial::playsWhatIsJudged)) {
      return "training plays otherwise";
    }
    List<LearningCurve.Moment> moments = outcome.moments();
    String seeds = moments.size() + " of " + outcome.trials.size() + " seeds";
    if (moments.isEmpty()) {
      return seeds;
    }
    return String.format(
        Locale.ROOT,
        "%.3g million agent-steps, %.3g s of training, %s",
        1e-6 * Throughput.median(moments.stream().map(LearningCurve.Moment::agentSteps).toList()),
        Throughput.median(moments.stream().map(LearningCurve.Moment::seconds).toList()),
        seeds);
  }

  private static String millions(Outcome outcome) {
    return spread("%.3g", outcome.values(trial -> trial.agentSteps * 1e-6));
  }

  /** Median [least, greatest]. */
  private static String spread(String format, List<Double> values) {
    return String.format(
        Locale.ROOT,
        format + " [" + format + ", " + format + "]",
        Throughput.median(values),
        Collections.min(values),
        Collections.max(values));
  }

  /** A line of a Markdown table. */
  private static String line(Outcome outcome) {
    ScoreRow row = outcome.row;
    return String.format(
        Locale.ROOT,
        "| %s | %.4g | %.4g | %s | %s | %.0f s | %s s | %s M | %s | %s | %s |",
        row.name(),
        outcome.random,
        outcome.target,
        spread("%.4g", outcome.values(Trial::sampled)),
        spread("%.4g", outcome.values(Trial::greedy)),
        row.seconds(),
        spread("%.1f", outcome.values(Trial::wallSeconds)),
        millions(outcome),
        first(outcome),
        row.publishedAgentSteps() == null
            ? ""
            : String.format(Locale.ROOT, "%.3g M", row.publishedAgentSteps() * 1e-6),
        outcome.holds() ? "yes" : "no");
  }

  private static ObjectNode json(Outcome outcome) {
    ScoreRow row = outcome.row;
    ObjectNode object = MAPPER.createObjectNode().put("row", row.name());
    object.put("environment", row.environment());
    object.set("arguments", MAPPER.valueToTree(row.arguments()));
    object.put("random", outcome.random).put("target", outcome.target);
    object.put("seconds_allowed", row.seconds()).put("source", row.source());
    object.put("published", row.published());
    object.put("published_agent_steps", row.publishedAgentSteps());
    object.put("reaches", outcome.reaches()).put("in_time", outcome.isInTime());
    object.put("steady", outcome.isSteady()).put("holds", outcome.holds());
    object.set("trials", MAPPER.valueToTree(outcome.trials));
    return object;
  }

  private static void say(String format, Object... values) {
    System.out.println(String.format(Locale.ROOT, format, values));
  }
}
