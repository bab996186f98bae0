// The options that describe an engine, shared by every command that opens one.
package org.swarmgrad.cli;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.apache.commons.cli.CommandLine;
import org.apache.commons.cli.Option;
import org.apache.commons.cli.Options;
import org.swarmgrad.AgentReduction;
import org.swarmgrad.Backend;
import org.swarmgrad.Baseline;
import org.swarmgrad.Checkpoint;
import org.swarmgrad.Device;
import org.swarmgrad.Engine;
import org.swarmgrad.EngineConfig;
import org.swarmgrad.EnvironmentSpec;
import org.swarmgrad.InstructionSet;
import org.swarmgrad.Optimizer;
import org.swarmgrad.Scale;
import org.swarmgrad.Share;
import org.swarmgrad.Swarmgrad;
import org.swarmgrad.ValueInput;
import org.swarmgrad.Weight;

final class EngineOptions {
  private EngineOptions() {}

  /** Adds all of them. */
  static Options add(Options options) {
    addEnvironment(options);
    Arguments.value(
        options,
        "policy",
        "SHAPE",
        "linear, or mlp:h1,...,h4 with :tanh or :relu after it; with several groups ';' between");
    Arguments.value(options, "envs", "COUNT", "episodes per batch, 1 to 2147483647");
    Arguments.value(options, "seed", "SEED", "seed of everything random, 0 to 2^64 - 1 (0)");
    Arguments.value(
        options, "horizon", "STEPS", "steps of an episode; 0: the environment's own (0)");
    Arguments.value(options, "discount", "FACTOR", "0 to 1 (1)");
    Arguments.value(
        options,
        "weight",
        "KIND",
        "total-return, reward-to-go, own-return or discounted-state-weight (reward-to-go)");
    Arguments.value(
        options,
        "baseline",
        "KIND",
        "none, leave-one-out, previous-batch or learned-value (leave-one-out)");
    Arguments.value(
        options,
        "value-policy",
        "SHAPE",
        "hidden layers of the networks of learned-value, as of --policy (mlp:64,64)");
    Arguments.value(
        options,
        "value-input",
        "KIND",
        "joint: they see all observations of the group; own: the agent's (joint)");
    Arguments.value(
        options,
        "lambda",
        "FACTOR",
        "0 to 1; below 1 returns are lambda-returns of learned-value: biased (1)");
    Arguments.flag(
        options,
        "bootstrap",
        "episodes that the horizon cut go on with learned-value's value: biased");
    Arguments.flag(
        options,
        "observation-normalisation",
        "networks see observations normalised by earlier iterations' moments");
    Arguments.value(options, "reward-scale", "FACTOR", "multiplies the weights, above 0 (1)");
    assignment(
        options, "training-param", "an environment parameter in training only; may be repeated");
    Arguments.value(
        options,
        "share",
        "KIND",
        "groups: a policy a group; all: one for all agents, as one team (groups)");
    Arguments.flag(options, "agent-index", "observations end with the agent's index, one-hot");
    Arguments.value(options, "agent-reduction", "KIND", "sum or mean over agents (sum)");
    Arguments.value(options, "scale", "KIND", "none or running-deviation (none)");
    Arguments.value(options, "entropy", "FACTOR", "multiplies the entropy term, at least 0 (0)");
    Arguments.value(
        options, "gradient-clip", "NORM", "largest norm of a group's gradient; 0: not clipped (0)");
    Arguments.value(options, "optimizer", "KIND", "sgd or adam (adam)");
    return addMachine(options);
  }

  /** Adds those that choose the environment. */
  static Options addEnvironment(Options options) {
    Arguments.value(
        options,
        "env",
        "ID",
        "environment, as listed by swarmgrad envs; or a header or library of your own by its path,"
            + "\nwhich then runs with your rights");
    Arguments.value(options, "agents", "COUNT", "agents: short for --param agents=COUNT");
    return assignment(options, "param", "an environment parameter; may be repeated");
  }

  private static Options assignment(Options options, String name, String text) {
    return options.addOption(
        Option.builder().longOpt(name).hasArg().argName("NAME=VALUE").desc(text).get());
  }

  /** Adds those that change speed and no bit of the result. */
  static Options addMachine(Options options) {
    addDevice(options);
    Arguments.value(
        options,
        "threads",
        "COUNT",
        "worker threads of the CPU; 0: one per core; changes no bit of the result (0)");
    return Arguments.value(
        options,
        "isa",
        "SET",
        "auto, avx2, avx512 or neon of the CPU; changes no bit of the result (auto)");
  }

  /** Adds --device. */
  static Options addDevice(Options options) {
    return Arguments.value(
        options,
        "device",
        "DEVICE",
        "cpu, cuda, cuda:INDEX as swarmgrad devices lists them, or auto: cuda if there is one"
            + " (cpu)");
  }

  /** The device that --device names; what auto stands for, and why, is said. */
  static Device device(CommandLine line, Device otherwise, Terminal terminal) {
    return Arguments.get(line, "device", Device::parse, otherwise)
        .resolve(fallback -> terminal.note("swarmgrad: %s", fallback));
  }

  /** The environment that --env, --agents and --param name. */
  static EnvironmentSpec environment(CommandLine line) {
    String id = line.getOptionValue("env");
    if (id == null) {
      throw new UsageException("--env is missing; allowed: " + ids());
    }
    return parameters(line, EnvironmentSpec.parse(id));
  }

  /** Loads a user's own environment where --env names one, so that a checkpoint finds it loaded. */
  static void loadEnvironment(CommandLine line) {
    if (line.hasOption("env")) {
      EnvironmentSpec.parse(line.getOptionValue("env"));
    }
  }

  private static String ids() {
    return String.join(", ", Swarmgrad.environments().stream().map(info -> info.id()).toList());
  }

  private static EnvironmentSpec parameters(CommandLine line, EnvironmentSpec environment) {
    List<String> assignments = new ArrayList<>();
    if (line.hasOption("agents")) {
      assignments.add("agents=" + line.getOptionValue("agents"));
    }
    if (line.hasOption("param")) {
      assignments.addAll(List.of(line.getOptionValues("param")));
    }
    EnvironmentSpec spec = environment;
    for (String assignment : assignments) {
      spec = spec.withAssignment(assignment);
    }
    checkOnce(assignments, "by --param or --agents");
    return spec;
  }

  private static void checkOnce(List<String> assignments, String how) {
    Set<String> names = new HashSet<>();
    for (String assignment : assignments) {
      String name = assignment.substring(0, assignment.indexOf('='));
      if (!names.add(name)) {
        throw new UsageException(
            "parameter '"
                + name
                + "' is given more than once, at last as '"
                + assignment
                + "'; allowed: once, "
                + how);
      }
    }
  }

  /** `defaults` with everything that the command line gives changed. */
  static EngineConfig config(CommandLine line, EngineConfig defaults, Terminal terminal) {
    EnvironmentSpec environment =
        line.hasOption("env") ? environment(line) : parameters(line, defaults.environment());
    EngineConfig.Builder builder = defaults.toBuilder().environment(environment);
    if (line.hasOption("training-param")) {
      List<String> assignments = List.of(line.getOptionValues("training-param"));
      assignments.forEach(builder::trainingParameter);
      checkOnce(assignments, "by --training-param");
    }
    return builder
        .policies(Arguments.get(line, "policy", EngineConfig::parsePolicies, defaults.policies()))
        .environments(
            Arguments.getLong(line, "envs", defaults.environments(), 1, Integer.MAX_VALUE))
        .seed(Arguments.get(line, "seed", EngineOptions::seed, defaults.seed()))
        .horizon(Arguments.getInt(line, "horizon", defaults.horizon(), 0, Integer.MAX_VALUE))
        .discount(Arguments.getDouble(line, "discount", defaults.discount()))
        .weight(Arguments.get(line, "weight", Weight::parse, defaults.weight()))
        .baseline(Arguments.get(line, "baseline", Baseline::parse, defaults.baseline()))
        .agentReduction(
            Arguments.get(
                line, "agent-reduction", AgentReduction::parse, defaults.agentReduction()))
        .share(Arguments.get(line, "share", Share::parse, defaults.share()))
        .agentIndex(line.hasOption("agent-index") || defaults.agentIndex())
        .valuePolicies(
            Arguments.get(
                line, "value-policy", EngineConfig::parsePolicies, defaults.valuePolicies()))
        .valueInput(Arguments.get(line, "value-input", ValueInput::parse, defaults.valueInput()))
        .lambda(Arguments.getDouble(line, "lambda", defaults.lambda()))
        .bootstrap(line.hasOption("bootstrap") || defaults.bootstrap())
        .observationNormalisation(
            line.hasOption("observation-normalisation") || defaults.observationNormalisation())
        .rewardScale(Arguments.getDouble(line, "reward-scale", defaults.rewardScale()))
        .scale(Arguments.get(line, "scale", Scale::parse, defaults.scale()))
        .entropyCoefficient(Arguments.getDouble(line, "entropy", defaults.entropyCoefficient()))
        .gradientClip(Arguments.getDouble(line, "gradient-clip", defaults.gradientClip()))
        .optimizer(Arguments.get(line, "optimizer", Optimizer::parse, defaults.optimizer()))
        .device(device(line, defaults.device(), terminal))
        .threads(Arguments.getInt(line, "threads", defaults.threads(), 0, 4096))
        .instructionSet(
            Arguments.get(line, "isa", InstructionSet::parse, defaults.instructionSet()))
        .build();
  }

  /** Says where a checkpoint goes on with an engine of another kind than made it. */
  static void sayBackendChange(Checkpoint checkpoint, Engine engine, Terminal terminal) {
    Backend backend = engine.device().backend();
    if (checkpoint.backend() != backend) {
      terminal.note(
          "swarmgrad: the checkpoint was made on %s and goes on on %s, by design with the same"
              + " bits",
          checkpoint.backend(), backend);
    }
  }

  private static long seed(String text) {
    try {
      return Long.parseUnsignedLong(text);
    } catch (NumberFormatException failure) {
      throw new UsageException("--seed is '" + text + "'; allowed: whole numbers 0 to 2^64 - 1");
    }
  }
}
