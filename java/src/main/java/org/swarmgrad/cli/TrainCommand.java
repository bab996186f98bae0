// swarmgrad train: settles the configuration, and trains one seed or several, from the beginning or
// from where they stopped.
package org.swarmgrad.cli;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.apache.commons.cli.CommandLine;
import org.apache.commons.cli.Option;
import org.apache.commons.cli.Options;
import org.swarmgrad.Schedule;

final class TrainCommand implements Command {
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
    if (settings.seeds().isPresent()) {
      return new SeveralTrainings(line, habits, interrupt, terminal).begin(settings, out);
    }
    Training.Start start =
        () -> {
          settings.print(terminal);
          return out;
        };
    return report(new Training(settings, habits, terminal).begin(start, interrupt), terminal);
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
      return new SeveralTrainings(line, habits, interrupt, terminal)
          .resume(folder, seeds.get().values());
    }
    if (Training.isDone(folder, line, terminal)) {
      JsonNode result = RunFolder.readResult(folder).orElseThrow();
      terminal.say("%s is done", folder);
      sayHowToGoOn(folder, result, terminal);
      terminal.result(result);
      return 0;
    }
    return report(Training.goOn(folder, line, habits, interrupt, terminal), terminal);
  }

  private static int report(Training.Result result, Terminal terminal) throws IOException {
    if (!result.interrupted()) {
      terminal.say("see how it does: swarmgrad eval --run %s", result.folder());
    }
    sayHowToGoOn(result.folder(), result.json(), terminal);
    terminal.say("parameters_sha256 %s", result.json().get("parameters_sha256").asText());
    terminal.result(result.json());
    return result.interrupted() ? Training.INTERRUPTED : 0;
  }

  /** Most defaults end at a learning rate of 0, where more iterations would teach nothing. */
  private static void sayHowToGoOn(Path folder, JsonNode result, Terminal terminal)
      throws IOException {
    Schedule schedule = Settings.stored(folder).schedules().learningRate();
    if (schedule.rate(result.get("iterations").asLong()) == 0) {
      terminal.say(
          "its learning rate has come to 0, where a policy learns no more; longer, from the start:"
              + " swarmgrad train --config %s --schedule-iterations N --iterations N",
          folder.resolve(RunFolder.CONFIG));
    } else {
      terminal.say("train it further: swarmgrad train --resume %s --seconds 60", folder);
    }
  }
}
