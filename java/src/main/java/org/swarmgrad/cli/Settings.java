// The whole configuration of a training as named values: defaults of the environment, below a file,
// below --set, below the options of the command line. What the values mean is their owners' matter.
package org.swarmgrad.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;
import org.apache.commons.cli.CommandLine;
import org.apache.commons.cli.Option;
import org.swarmgrad.Checkpoint;
import org.swarmgrad.EngineConfig;
import org.swarmgrad.EnvironmentSource;
import org.swarmgrad.EnvironmentSpec;
import org.swarmgrad.Evaluation;
import org.swarmgrad.Schedule;
import org.swarmgrad.Schedules;

/**
 * What `train` is told. Every value has one name, which is the same in a file, for --set and where
 * the configuration is printed.
 *
 * @param config of the engine
 * @param schedules of its learning
 * @param evaluation on the way
 * @param limits when to stop
 * @param seeds of several trainings; empty for the one of `config`
 */
record Settings(
    EngineConfig config,
    Schedules schedules,
    Evaluation evaluation,
    Limits limits,
    Optional<Seeds> seeds) {
  private static final String ENVIRONMENT = "environment";

  /** Where the first is given and the second is not, the second is the first. */
  private static final List<List<String>> TOGETHER =
      List.of(
          List.of("learning_rate", "value_learning_rate"),
          List.of("entropy", "entropy_coefficient"),
          List.of("entropy_coefficient", "entropy"));

  /** The configuration of a new training. */
  static Settings read(CommandLine line, Terminal terminal) throws IOException {
    String name = line.getOptionValue("config");
    Map<String, String> file =
        name == null ? new TreeMap<>() : flat(Json.read(Json.WITH_COMMENTS, Path.of(name)), name);
    Map<String, String> set = assignments(line);
    Map<String, String> given = over(file, set);
    EnvironmentSpec environment =
        line.hasOption("env") || !given.containsKey(ENVIRONMENT)
            ? EngineOptions.environment(line)
            : EnvironmentSpec.fromMap(given);
    TrainDefaults defaults = TrainDefaults.of(environment);
    Map<String, String> below = defaults(defaults).values();
    checkNames(name, file.keySet(), below.keySet());
    checkNames("--set", set.keySet(), below.keySet());
    if (line.hasOption("env")) {
      for (Map<String, String> layer : List.of(file, set)) {
        layer.remove(ENVIRONMENT);
        EnvironmentSource.KEYS.forEach(layer::remove);
      }
    }
    return of(over(over(over(below, file), set), options(line)), line, terminal);
  }

  private static Settings defaults(TrainDefaults defaults) {
    return new Settings(
        defaults.config(),
        defaults.schedules(),
        Evaluation.NEVER,
        new Limits(defaults.iterations(), defaults.seconds(), null),
        Optional.empty());
  }

  /** The configuration that a checkpoint holds, with limits, which it does not. */
  static Settings of(Checkpoint checkpoint, Limits limits) {
    return new Settings(
        checkpoint.config(),
        checkpoint.schedules(),
        checkpoint.evaluation(),
        limits,
        Optional.empty());
  }

  /** The configuration that {@link #json()} wrote into a folder. */
  static Settings stored(Path folder) throws IOException {
    return of(flat(RunFolder.readConfig(folder), folder.toString()));
  }

  /**
   * This configuration for a training that goes on: limits and machine may be others, anything else
   * that the command line says must be what it was.
   */
  Settings resume(CommandLine line, Terminal terminal) {
    Map<String, String> below = values();
    Map<String, String> set = assignments(line);
    checkNames("--set", set.keySet(), below.keySet());
    Map<String, String> options = options(line);
    // Which of them this one is, its own seed says.
    options.remove(Seeds.KEY);
    Settings settings = of(over(over(below, set), options), line, terminal);
    List<String> differences = new ArrayList<>(config.differences(settings.config));
    differences.addAll(schedules.differences(settings.schedules));
    differences.addAll(evaluation.differences(settings.evaluation));
    if (!differences.isEmpty()) {
      throw new UsageException(
          "--resume goes on with the same training, these would change it (run, command line): "
              + String.join("; ", differences));
    }
    return new Settings(settings.config, schedules, evaluation, settings.limits, Optional.empty());
  }

  /** Whether the command line says when to stop. */
  static boolean limitsAreGiven(CommandLine line) {
    Map<String, String> set = assignments(line);
    return Limits.KEYS.stream()
        .anyMatch(key -> set.containsKey(key) || line.hasOption(key.replace('_', '-')));
  }

  private static Settings of(Map<String, String> values, CommandLine line, Terminal terminal) {
    Settings settings = of(values);
    if (line.hasOption("seed") && line.hasOption(Seeds.KEY)) {
      throw new UsageException("--seed is given together with --seeds; allowed: one of them");
    }
    return new Settings(
        EngineOptions.config(line, settings.config, terminal),
        settings.schedules,
        settings.evaluation,
        settings.limits,
        line.hasOption("seed") ? Optional.empty() : settings.seeds);
  }

  private static Settings of(Map<String, String> values) {
    Limits limits = Limits.fromMap(values);
    Map<String, String> complete = new TreeMap<>(values);
    Optional<Seeds> seeds = Optional.ofNullable(values.get(Seeds.KEY)).map(Seeds::parse);
    seeds.ifPresent(some -> complete.put("seed", Long.toUnsignedString(some.values().get(0))));
    for (String rate : Schedules.NAMES) {
      completeSchedule(complete, rate, limits.iterations());
    }
    return new Settings(
        EngineConfig.fromMap(complete),
        Schedules.fromMap(complete),
        Evaluation.fromMap(complete),
        limits,
        seeds);
  }

  /** Where a schedule ends that does not say so: at 0, when the training does. */
  private static void completeSchedule(Map<String, String> values, String rate, long iterations) {
    values.putIfAbsent(Schedule.endOf(rate), isConstant(values, rate) ? values.get(rate) : "0");
    if (isConstant(values, rate)) {
      values.putIfAbsent(Schedule.iterationsOf(rate), "1");
    } else if (!values.containsKey(Schedule.iterationsOf(rate))) {
      if (iterations == Long.MAX_VALUE) {
        throw new UsageException(
            Schedule.shapeOf(rate)
                + " is "
                + Schedule.Shape.parse(values.get(Schedule.shapeOf(rate)))
                + " with no end; allowed: together with iterations or "
                + Schedule.iterationsOf(rate));
      }
      values.put(Schedule.iterationsOf(rate), String.valueOf(iterations));
    }
  }

  private static boolean isConstant(Map<String, String> values, String rate) {
    return Schedule.Shape.CONSTANT.toString().equals(values.get(Schedule.shapeOf(rate)));
  }

  /**
   * Values with others laid over them. What belongs together is replaced together: limits; the
   * environment and where it came from; a schedule's kind and its end; what is one value unless two
   * are given.
   */
  private static Map<String, String> over(Map<String, String> below, Map<String, String> above) {
    Map<String, String> values = new TreeMap<>(below);
    if (Limits.KEYS.stream().anyMatch(above::containsKey)) {
      Limits.KEYS.forEach(values::remove);
    }
    if (above.containsKey(ENVIRONMENT)) {
      EnvironmentSource.KEYS.forEach(values::remove);
    }
    for (String rate : Schedules.NAMES) {
      layScheduleOver(values, above, rate);
    }
    for (List<String> pair : TOGETHER) {
      if (above.containsKey(pair.get(0)) && !above.containsKey(pair.get(1))) {
        values.put(pair.get(1), above.get(pair.get(0)));
      }
    }
    if (above.containsKey("seed")) {
      values.remove(Seeds.KEY);
    }
    values.putAll(above);
    return values;
  }

  /** Who names a schedule's kind says anew how it ends; an end alone makes a constant linear. */
  private static void layScheduleOver(
      Map<String, String> values, Map<String, String> above, String rate) {
    String shape = Schedule.shapeOf(rate);
    if (above.containsKey(shape)) {
      values.remove(Schedule.endOf(rate));
      values.remove(Schedule.iterationsOf(rate));
    } else if (above.containsKey(Schedule.endOf(rate)) && isConstant(values, rate)) {
      values.put(shape, Schedule.Shape.LINEAR.toString());
      // What every constant has; another number is somebody's.
      values.remove(Schedule.iterationsOf(rate), "1");
    }
  }

  /** The values of the options beside the engine's, most of which are named as their keys. */
  private static Map<String, String> options(CommandLine line) {
    TreeSet<String> keys = new TreeSet<>(Evaluation.NEVER.toMap().keySet());
    keys.addAll(Limits.KEYS);
    keys.add(Seeds.KEY);
    for (String rate : Schedules.NAMES) {
      keys.add(rate);
      keys.add(Schedule.endOf(rate));
    }
    Map<String, String> values = new TreeMap<>();
    for (Option option : line.getOptions()) {
      String key = option.getLongOpt().replace('-', '_');
      if (keys.contains(key)) {
        values.put(key, option.getValue());
      }
    }
    if (line.hasOption("schedule")) {
      for (String rate : Schedules.LEARNING_RATES) {
        values.put(Schedule.shapeOf(rate), line.getOptionValue("schedule"));
      }
    }
    if (line.hasOption("schedule-iterations")) {
      for (String rate : Schedules.NAMES) {
        values.put(Schedule.iterationsOf(rate), line.getOptionValue("schedule-iterations"));
      }
    }
    return values;
  }

  private static Map<String, String> assignments(CommandLine line) {
    Map<String, String> values = new TreeMap<>();
    if (line.hasOption("set")) {
      for (String assignment : line.getOptionValues("set")) {
        int equals = assignment.indexOf('=');
        if (equals < 1) {
          throw new UsageException("--set is '" + assignment + "'; allowed: KEY=VALUE");
        }
        String key = assignment.substring(0, equals);
        if (values.put(key, assignment.substring(equals + 1)) != null) {
          throw new UsageException("--set gives " + key + " more than once; allowed: once");
        }
      }
    }
    return values;
  }

  /** Names and values however they are grouped: groups are there for readers only. */
  private static Map<String, String> flat(JsonNode json, String where) {
    if (!json.isObject()) {
      throw new UsageException(where + " holds no JSON object; allowed: {\"key\": value, ...}");
    }
    Map<String, String> values = new TreeMap<>();
    for (Map.Entry<String, JsonNode> field : json.properties()) {
      Map<String, String> more =
          field.getValue().isObject()
              ? flat(field.getValue(), where)
              : Map.of(field.getKey(), scalar(field, where));
      more.forEach(
          (key, value) -> {
            if (values.put(key, value) != null) {
              throw new UsageException(where + " gives " + key + " more than once; allowed: once");
            }
          });
    }
    return values;
  }

  private static String scalar(Map.Entry<String, JsonNode> field, String where) {
    JsonNode value = field.getValue();
    if (!value.isTextual() && !value.isNumber() && !value.isBoolean()) {
      throw new UsageException(
          where
              + ": "
              + field.getKey()
              + " is "
              + value
              + "; allowed: a text, a number, true or false");
    }
    return value.asText();
  }

  private static void checkNames(String where, Collection<String> found, Collection<String> usual) {
    TreeSet<String> allowed = new TreeSet<>(usual);
    allowed.addAll(Limits.KEYS);
    allowed.add(Seeds.KEY);
    for (String name : found) {
      if (!allowed.contains(name) && !EnvironmentSource.KEYS.contains(name)) {
        throw new UsageException(
            where + " has '" + name + "', no key of the configuration; allowed: " + allowed);
      }
    }
  }

  /** One training of several. */
  Settings withSeed(long seed) {
    return new Settings(
        config.toBuilder().seed(seed).build(), schedules, evaluation, limits, Optional.empty());
  }

  /** Groups of names and values, in the order of printing. */
  private Map<String, SortedMap<String, String>> groups() {
    Map<String, SortedMap<String, String>> groups = new LinkedHashMap<>();
    SortedMap<String, String> engine = new TreeMap<>(config.toMap());
    seeds.ifPresent(some -> engine.remove("seed"));
    groups.put("config", engine);
    groups.put("schedules", schedules.toMap());
    groups.put("evaluation", evaluation.toMap());
    groups.put("limits", limits.toMap());
    seeds.ifPresent(some -> groups.put(Seeds.KEY, new TreeMap<>(Map.of(Seeds.KEY, some.text()))));
    return groups;
  }

  private Map<String, String> values() {
    Map<String, String> values = new TreeMap<>();
    groups().values().forEach(values::putAll);
    return values;
  }

  /** What {@link #read} reads from a file. */
  ObjectNode json() {
    ObjectNode json = Json.object();
    groups()
        .forEach(
            (name, values) -> {
              ObjectNode group = json.putObject(name);
              values.forEach((key, value) -> group.set(key, Json.scalar(value)));
            });
    return json;
  }

  void print(Terminal terminal) {
    terminal.say("configuration (change a value with --set KEY=VALUE):");
    groups()
        .forEach(
            (name, values) ->
                values.forEach((key, value) -> terminal.say("  %-32s %s", key, value)));
  }
}
