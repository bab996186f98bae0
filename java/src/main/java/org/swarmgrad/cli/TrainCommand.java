// swarmgrad train: settles the configuration, and trains one seed or several, from the beginning or
// from where they stopped.
package org.swarmgrad.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.apache.commons.cli.CommandLine;
import org.apache.commons.cli.Option;
import org.apache.commons.cli.Options;
import org.swarmgrad.Checkpoint;

final class TrainCommand implements Command {
  private static final int INTERRUPTED = 130;

  @Override
  public String name() {
    return "train";
  }

  @Override
  public String summary() {
    return "Train a policy and keep it in a run folder.";
  }

  @Override
  public String usage() {
    return "train --env ID [options], train --config FILE [options],"
        + " or train --resume runs/NAME [options]";
  }

  @Override
  public String example() {
    return "train --env simple_spread_v3 --agents 3 --policy mlp:64,64 --seconds 45 --seed 7";
  }

  @Override
  public Options options() {
    Options options = EngineOptions.add(new Options());
    Arguments.value(
        options,
        "config",
        "FILE",
        "configuration as JSON, for example config.json of a run folder; options go before it");
    options.addOption(
        Option.builder()
            .longOpt("set")
            .hasArg()
            .argName("KEY=VALUE")
            .desc("a value of the configuration by its key, before --config; may be repeated")
            .get());
    Arguments.value(
        options,
        "learning-rate",
        "RATE",
        "of the first iteration; without it what suits the environment");
    Arguments.value(
        options,
        "value-learning-rate",
        "RATE",
        "of learned-value's networks, on the same schedule; without it --learning-rate");
    Arguments.value(
        options,
        "final-entropy",
        "FACTOR",
        "to which --entropy goes in a straight line; without it it stays");
    Arguments.value(
        options,
        "schedule",
        "KIND",
        "constant, or linear or cosine down to 0; without it what suits the environment");
    Arguments.value(
        options,
        "schedule-iterations",
        "COUNT",
        "when the schedules reach their end; without it what suits the environment, or"
            + " --iterations\n"
            + "where --schedule is given");
    Arguments.value(
        options, "iterations", "COUNT", "stop at this many, counted from the very first");
    Arguments.value(
        options,
        "seconds",
        "SECONDS",
        "stop after this time; never changes the schedule (without any limit: after the"
            + " iterations\n"
            + "that suit the environment, or 45 s where none are known)");
    Arguments.value(
        options,
        "until-return",
        "[GROUP=]X",
        "stop when the mean team return of an evaluation on the way reaches X; without\n"
            + "--evaluate-every that of a batch");
    Arguments.value(options, "out", "FOLDER", "run folder; without it runs/ENV-NUMBER");
    Arguments.value(
        options, "resume", "FOLDER", "go on from this run folder's checkpoint, with the same bits");
    Arguments.value(
        options,
        "seeds",
        "SEEDS",
        "one training for each of FIRST..LAST or A,B,C, in folders of their own, and a summary");
    Arguments.value(
        options,
        "checkpoint-every",
        "COUNT",
        "iterations between checkpoints; without it every 30 s");
    Arguments.value(
        options,
        "iterations-per-call",
        "COUNT",
        "iterations in one native call, for small problems");
    Arguments.value(
        options,
        "evaluate-every",
        "COUNT",
        "iterations between evaluations on the way, which keep the best policy; 0: none (0)");
    Arguments.value(
        options, "evaluate-episodes", "COUNT", "episodes of an evaluation on the way (500)");
    Arguments.value(
        options,
        "best-group",
        "GROUP",
        "the group whose mean team return decides what is best; sum: all groups' (sum)");
    Arguments.value(
        options, "evaluate", "COUNT", "episodes of the evaluation at the end, 0 for none (2000)");
    return Arguments.json(options);
  }

  @Override
  public int run(CommandLine line, Terminal terminal) throws Exception {
    Training.Habits habits = Training.Habits.parse(line);
    try (Interrupt interrupt = new Interrupt()) {
      return line.hasOption("resume")
          ? resume(line, habits, interrupt, terminal)
          : begin(line, habits, interrupt, terminal);
    }
  }

  private static int begin(
      CommandLine line, Training.Habits habits, Interrupt interrupt, Terminal terminal)
      throws IOException {
    Settings settings = Settings.read(line, terminal);
    Path out = Arguments.get(line, "out", Path::of, null);
    if (settings.seeds().isEmpty()) {
      Training.Start start =
          () -> {
            settings.print(terminal);
            return out;
          };
      return report(new Training(settings, habits, terminal).begin(start, interrupt), terminal);
    }
    List<Long> seeds = settings.seeds().get().values();
    Training.Start start =
        () -> {
          settings.print(terminal);
          return RunFolder.ofSeed(RunFolder.make(out, settings, empty -> {}), seeds.get(0));
        };
    Training.Result first =
        new Training(settings.withSeed(seeds.get(0)), habits, terminal).begin(start, interrupt);
    List<JsonNode> results = new ArrayList<>(List.of(first.json()));
    Path folder = first.folder().getParent();
    if (first.interrupted()) {
      return interrupted(results, folder, terminal);
    }
    return several(
        seeds.subList(1, seeds.size()), results, folder, line, habits, interrupt, terminal);
  }

  private static int resume(
      CommandLine line, Training.Habits habits, Interrupt interrupt, Terminal terminal)
      throws IOException {
    Path folder = Path.of(line.getOptionValue("resume"));
    for (String name : List.of("out", "config", "seeds")) {
      if (line.hasOption(name)) {
        throw new UsageException(
            "--"
                + name
                + " is given together with --resume, which goes on in "
                + folder
                + "; allowed: one of them");
      }
    }
    EngineOptions.loadEnvironment(line);
    Optional<Seeds> seeds = Settings.stored(folder).seeds();
    if (seeds.isPresent()) {
      return several(
          seeds.get().values(), new ArrayList<>(), folder, line, habits, interrupt, terminal);
    }
    if (isDone(folder, line)) {
      terminal.say(
          "%s is done; train it further: swarmgrad train --resume %s --seconds 60", folder, folder);
      terminal.result(RunFolder.readResult(folder).orElseThrow());
      return 0;
    }
    return report(goOn(folder, line, habits, interrupt, terminal), terminal);
  }

  /** Whether a training has reached its own limits and is given no new ones. */
  private static boolean isDone(Path folder, CommandLine line) throws IOException {
    return !Settings.limitsAreGiven(line) && RunFolder.readResult(folder).isPresent();
  }

  private static Training.Result goOn(
      Path folder, CommandLine line, Training.Habits habits, Interrupt interrupt, Terminal terminal)
      throws IOException {
    Checkpoint checkpoint = RunFolder.checkpoint(folder, RunFolder.CHECKPOINT);
    Settings before = Settings.of(checkpoint, Settings.stored(folder).limits());
    Settings settings = before.resume(line, terminal);
    return new Training(settings, habits, terminal)
        .resume(folder, checkpoint, Settings.limitsAreGiven(line), interrupt);
  }

  /** Trains what is left of the seeds of a folder, one after the other, and adds the results. */
  private static int several(
      List<Long> seeds,
      List<JsonNode> results,
      Path folder,
      CommandLine line,
      Training.Habits habits,
      Interrupt interrupt,
      Terminal terminal)
      throws IOException {
    for (long seed : seeds) {
      if (interrupt.requested()) {
        return interrupted(results, folder, terminal);
      }
      Path run = RunFolder.ofSeed(folder, seed);
      if (Files.exists(run) && isDone(run, line)) {
        terminal.say("%s is done", run);
        results.add(RunFolder.readResult(run).orElseThrow());
        continue;
      }
      Training.Result result;
      if (Files.exists(run)) {
        result = goOn(run, line, habits, interrupt, terminal);
      } else {
        Settings settings = Settings.stored(folder).withSeed(seed).resume(line, terminal);
        result = new Training(settings, habits, terminal).begin(() -> run, interrupt);
      }
      results.add(result.json());
      if (result.interrupted()) {
        return interrupted(results, folder, terminal);
      }
    }
    ObjectNode summary = Summary.of(results, terminal).put("run", folder.toString());
    RunFolder.writeText(folder.resolve("summary.json"), summary.toPrettyString());
    terminal.say("see how they do: swarmgrad eval --run %s", folder);
    terminal.result(summary);
    return 0;
  }

  private static int interrupted(List<JsonNode> results, Path folder, Terminal terminal) {
    terminal.say("go on with what is left: swarmgrad train --resume %s", folder);
    ObjectNode json = Json.object().put("interrupted", true).put("run", folder.toString());
    json.putArray("seeds").addAll(results);
    terminal.result(json);
    return INTERRUPTED;
  }

  private static int report(Training.Result result, Terminal terminal) {
    if (!result.interrupted()) {
      terminal.say("see how it does: swarmgrad eval --run %s", result.folder());
    }
    terminal.say("train it further: swarmgrad train --resume %s --seconds 60", result.folder());
    terminal.say("parameters_sha256 %s", result.json().get("parameters_sha256").asText());
    terminal.result(result.json());
    return result.interrupted() ? INTERRUPTED : 0;
  }
}
