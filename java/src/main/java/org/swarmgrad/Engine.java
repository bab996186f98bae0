// The native engine as a Java object: batches, gradients, optimizer steps, evaluation and state;
// the loop is the Trainer's.
package org.swarmgrad;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.DoubleBuffer;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.Collections;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;
import org.swarmgrad.internal.NativeEngine;

/**
 * An open engine. It takes all memory when opened and serves one thread at a time: a second one
 * gets a {@link BusyException}; {@link #cancel()} and {@link #progress()} may be called from any
 * thread. After {@link #close()} every call throws an {@link IllegalStateException}.
 */
public final class Engine implements AutoCloseable {
  private static final System.Logger LOGGER = System.getLogger("org.swarmgrad");
  private static final String ENVIRONMENT_PARAMETERS = "environment_parameters";
  private static final AtomicBoolean FALLBACK_IS_SAID = new AtomicBoolean();

  private final EngineConfig config;
  private final Device device;
  private final NativeEngine engine;
  private final List<Buffer> buffers;
  private final Buffer parameters;
  private final Buffer iteration;
  private final Map<String, Double> evaluationParameters;
  private final Map<String, Double> trainingParameters;

  private Engine(EngineConfig config) {
    this.config = Checks.present("config", config);
    String id = config.environment().id();
    if (id.startsWith(JavaEnvironment.PREFIX) && config.javaEnvironment().isEmpty()) {
      throw new IllegalArgumentException(
          "environment is "
              + id
              + ", which is written in Java and which only the program that has it can give:"
              + " config.toBuilder().environment(JavaEnvironment.of(name, factory)).build()");
    }
    device =
        config.javaEnvironment().isPresent() && config.device().backend() == Backend.AUTO
            ? Device.CPU // whose threads play Java's environments
            : config.device().resolve(Engine::sayFallback);
    engine = new NativeEngine(config, device);
    buffers = engine.buffers();
    parameters = buffer("parameters");
    iteration = buffer("iteration");
    evaluationParameters = environmentParameters();
    setEnvironmentParameters(config.trainingParameters());
    trainingParameters = environmentParameters();
  }

  private static void sayFallback(String text) {
    if (!FALLBACK_IS_SAID.getAndSet(true)) {
      LOGGER.log(System.Logger.Level.INFO, text);
    }
  }

  /**
   * Opens an engine: parameters initialised from the seed, iteration 0.
   *
   * @param config what to compute, and where; where {@link Device#AUTO} becomes the CPU, the reason
   *     is logged, once in a process
   * @return the engine, to be closed
   * @throws IllegalArgumentException naming the value that is not allowed
   * @throws LibraryException where the library or the device is missing, or this machine cannot run
   *     it
   */
  public static Engine open(EngineConfig config) {
    return new Engine(config);
  }

  /**
   * The configuration it was opened with.
   *
   * @return the configuration
   */
  public EngineConfig config() {
    return config;
  }

  /**
   * Where it runs.
   *
   * @return never AUTO; a checkpoint names its backend
   */
  public Device device() {
    return device;
  }

  /**
   * What it runs on, for people.
   *
   * @return for example "2 threads, avx512", or the name of a GPU
   */
  public String processor() {
    return engine.processor();
  }

  /**
   * What the configuration became.
   *
   * @return sizes, threads, instruction set
   */
  public EngineInfo info() {
    return engine.info();
  }

  /**
   * The agent groups.
   *
   * @return [group]
   */
  public List<Group> groups() {
    return engine.groups();
  }

  /**
   * Runs complete iterations in one native call: batch, gradient, optimizer. Everything that
   * iteration k uses, value networks and moments included, is as it stood before k.
   *
   * @param rates one an iteration, at least one
   * @return [iteration][group]
   * @throws CancelledException with the parameters of the last complete iteration
   * @throws NumericException naming iteration, environment, agent and step
   */
  public List<List<Statistics>> train(Rates... rates) {
    Checks.range("number of iterations", rates.length, 1, Integer.MAX_VALUE);
    return engine.train(rates);
  }

  /**
   * Runs complete iterations as {@link #train(Rates...)} does, with one learning rate for policies
   * and value networks and the configuration's entropy coefficient.
   *
   * @param learningRates one an iteration, at least one
   * @return [iteration][group]
   */
  public List<List<Statistics>> train(double... learningRates) {
    return train(Arrays.stream(learningRates).mapToObj(this::rates).toArray(Rates[]::new));
  }

  private Rates rates(double learningRate) {
    return new Rates(learningRate, learningRate, config.entropyCoefficient());
  }

  /**
   * Plays one batch and computes its gradient; nothing is updated, and the same call twice gives
   * the same answer.
   *
   * @return the ascent direction of J and the batch's statistics
   */
  public Gradient gradient() {
    return engine.gradient();
  }

  /**
   * Clips and applies a gradient, commits the baselines of the batch that {@link #gradient()} made
   * last, and advances the iteration.
   *
   * @param gradient from this engine, or changed since
   * @param learningRate of policies and value networks, at least 0
   */
  public void step(Gradient gradient, double learningRate) {
    step(Checks.present("gradient", gradient).values(), rates(learningRate));
  }

  /**
   * Clips and applies a gradient from anywhere.
   *
   * @param gradient [parameter], an ascent direction
   * @param rates whose learning rates count
   */
  public void step(float[] gradient, Rates rates) {
    Checks.length(
        "gradient",
        Checks.present("gradient", gradient).length,
        info().parameterCount(),
        "[parameter]");
    engine.step(gradient, Checks.present("rates", rates));
  }

  /**
   * Like {@link #gradient()} on a batch of its own random stream, with everything written down.
   *
   * @return trajectories, gradient and statistics
   * @throws IllegalArgumentException where an array would exceed 2^31 - 1 elements
   */
  public Recording record() {
    for (Group group : groups()) {
      int widest = Math.max(group.observationSize(), group.actionCount());
      // One step more: that of the values.
      double elements =
          (info().horizon() + 1.0) * group.agentCount() * widest * config.environments();
      if (elements > Integer.MAX_VALUE - 8) {
        throw new IllegalArgumentException(
            "environments is "
                + config.environments()
                + ", which makes a recorded array of "
                + (long) elements
                + " elements; allowed: up to 2^31 - 9");
      }
    }
    return engine.record((int) config.environments());
  }

  /**
   * Plays episodes of the evaluation stream of the engine's seed, which training never uses.
   *
   * @param firstEpisode index of the first episode
   * @param episodes number of episodes, at least 1
   * @param acting how all groups' actions are chosen
   * @return [group]
   */
  public List<Statistics> evaluate(long firstEpisode, long episodes, Acting acting) {
    Checks.present("acting", acting);
    return evaluate(firstEpisode, episodes, Collections.nCopies(groups().size(), acting));
  }

  /**
   * Plays episodes in which groups choose their actions differently: trained hunters against random
   * prey. The environment is the one of the configuration, whatever {@link
   * EngineConfig#trainingParameters} and a curriculum make of it in training.
   *
   * @param firstEpisode index of the first episode
   * @param episodes number of episodes, at least 1
   * @param acting [group] how its actions are chosen
   * @return [group]
   */
  public List<Statistics> evaluate(long firstEpisode, long episodes, List<Acting> acting) {
    Checks.range("first episode", firstEpisode, 0, Long.MAX_VALUE);
    Checks.range("episodes", episodes, 1, Integer.MAX_VALUE);
    Checks.length("acting", Checks.present("acting", acting).size(), groups().size(), "[group]");
    acting.forEach(each -> Checks.present("acting of a group", each));
    Map<String, Double> training = environmentParameters();
    if (training.equals(evaluationParameters)) {
      return engine.evaluate(firstEpisode, episodes, List.copyOf(acting));
    }
    setEnvironmentParameters(evaluationParameters);
    try {
      return engine.evaluate(firstEpisode, episodes, List.copyOf(acting));
    } finally {
      setEnvironmentParameters(training);
    }
  }

  /**
   * Makes the running call, or else the next one, throw {@link CancelledException} at its next
   * segment. Any thread.
   */
  public void cancel() {
    engine.cancel();
  }

  /**
   * Cohorts of up to 16 environments finished since the engine was opened. Any thread.
   *
   * @return their number
   */
  public long progress() {
    return engine.progress();
  }

  /**
   * Whether the engine plays episodes, and a number that changes while it does. Any thread.
   *
   * @return what a {@link Watchdog} looks at
   */
  public Heartbeat heartbeat() {
    return engine.heartbeat();
  }

  /**
   * Complete iterations so far.
   *
   * @return the iteration that comes next, 0 the first
   */
  public long iteration() {
    return readBuffer(iteration).getLong(0);
  }

  /**
   * The parameters of every group's policy, then of every group's value network.
   *
   * @return [parameter], a copy; network by network, layer by layer: weight [output][input], then
   *     bias [output]
   */
  public float[] parameters() {
    float[] values = new float[(int) parameters.count()];
    readBuffer(parameters).asFloatBuffer().get(values);
    return values;
  }

  /**
   * Replaces the parameters of every network.
   *
   * @param values [parameter] in the order of {@link #parameters()}, finite
   */
  public void setParameters(float[] values) {
    Checks.length(
        "parameters",
        Checks.present("parameters", values).length,
        parameters.count(),
        "[parameter]");
    ByteBuffer bytes = ByteBuffer.allocate(4 * values.length).order(ByteOrder.LITTLE_ENDIAN);
    bytes.asFloatBuffer().put(values);
    writeBuffer(parameters, bytes);
  }

  /**
   * SHA-256 over the little-endian bits of the parameters: equal for equal trainings on every
   * machine.
   *
   * @return 64 hexadecimal digits
   */
  public String parametersSha256() {
    try {
      return HexFormat.of()
          .formatHex(MessageDigest.getInstance("SHA-256").digest(readBuffer(parameters).array()));
    } catch (NoSuchAlgorithmException failure) {
      throw new AssertionError("every Java platform has SHA-256", failure);
    }
  }

  /**
   * The environment's parameters as the next batch will be played with; a checkpoint holds them.
   *
   * @return name and value of every parameter, in the catalogue's order; empty for an environment
   *     written in Java, which has its own
   */
  public Map<String, Double> environmentParameters() {
    Map<String, Double> values = new LinkedHashMap<>();
    List<EnvironmentParameter> catalogue =
        config.javaEnvironment().isPresent() ? List.of() : config.environment().info().parameters();
    if (!catalogue.isEmpty()) {
      DoubleBuffer buffer = readBuffer(buffer(ENVIRONMENT_PARAMETERS)).asDoubleBuffer();
      catalogue.forEach(parameter -> values.put(parameter.name(), buffer.get()));
    }
    return Collections.unmodifiableMap(values);
  }

  /** All parameters of the environment as training without a curriculum has them. */
  Map<String, Double> trainingParameters() {
    return trainingParameters;
  }

  /**
   * Changes parameters of the environment from the next batch on: the step of a curriculum, between
   * two iterations.
   *
   * @param changes name and value of those that change; they must leave every shape as it is:
   *     groups, observations, actions, the default horizon
   * @throws IllegalArgumentException naming the parameter, the value and what is allowed
   */
  public void setEnvironmentParameters(Map<String, Double> changes) {
    Checks.present("environment parameters", changes);
    if (changes.isEmpty()) {
      return;
    }
    Map<String, Double> values = new LinkedHashMap<>(environmentParameters());
    changes.forEach(
        (name, value) -> {
          Checks.present("environment parameter " + name, value);
          values.put(name, config.environment().info().parameter(name).check(value));
        });
    ByteBuffer bytes = ByteBuffer.allocate(8 * values.size()).order(ByteOrder.LITTLE_ENDIAN);
    values.values().forEach(bytes::putDouble);
    writeBuffer(buffer(ENVIRONMENT_PARAMETERS), bytes);
  }

  /**
   * Every named array of the engine.
   *
   * @return in the library's order
   */
  public List<Buffer> buffers() {
    return buffers;
  }

  /**
   * A named array that belongs to the whole engine, or to its only group.
   *
   * @param name for example "parameters"
   * @return the buffer
   */
  public Buffer buffer(String name) {
    return buffers.stream()
        .filter(buffer -> buffer.name().equals(name))
        .findFirst()
        .orElseThrow(
            () ->
                new IllegalArgumentException(
                    "buffer is '" + name + "'; the engine has " + buffers));
  }

  /**
   * Reads an array.
   *
   * @param buffer of this engine
   * @return its elements, little endian, a copy
   */
  public ByteBuffer readBuffer(Buffer buffer) {
    if (buffer.count() * buffer.type().bytes() > Integer.MAX_VALUE - 8) {
      throw new IllegalArgumentException(
          "buffer "
              + buffer.uniqueName()
              + " has "
              + buffer.count()
              + " elements; allowed: up to 2 GiB");
    }
    byte[] bytes = engine.read(buffer.index(), buffer.count(), buffer.type().bytes());
    return ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
  }

  /**
   * Writes an array; NaN and infinity are refused.
   *
   * @param buffer of this engine
   * @param values its elements, little endian, from index 0 to the limit
   */
  public void writeBuffer(Buffer buffer, ByteBuffer values) {
    byte[] bytes = new byte[values.limit()];
    values.get(0, bytes);
    Checks.length(
        "bytes of buffer " + buffer.uniqueName(),
        bytes.length,
        buffer.count() * buffer.type().bytes(),
        "[byte]");
    engine.write(buffer.index(), bytes, buffer.type().bytes());
  }

  /**
   * Runs a group's policy, or its value network, on given observations.
   *
   * @param network as in {@link Batch}
   * @param observation [row][feature], as the network sees it: normalised where the engine
   *     normalises
   * @return hidden activations and logits, or values
   */
  public Forward forward(int network, float[] observation) {
    int features = network(network).features;
    int rows = Checks.present("observation", observation).length / features;
    Checks.range("rows of observation", rows, 1, Integer.MAX_VALUE);
    Checks.length(
        "observation", observation.length, (long) rows * features, "[row][" + features + "]");
    return engine.forward(network, rows, observation);
  }

  /**
   * The arithmetic between logits and their gradient: log-softmax, sampling, entropy.
   *
   * @param rows given
   * @return what training would compute from them
   */
  public LogitRows.Result logits(LogitRows rows) {
    return engine.logits(Checks.present("rows", rows));
  }

  /**
   * The weights that training would give to given rewards, after baseline and scale.
   *
   * @param rewards given
   * @return weights, and errors of the value network where there is one
   */
  public Weights weights(Rewards rewards) {
    Group group = group(Checks.present("rewards", rewards).group());
    long cells = cells(group.agentCount(), rewards.steps(), rewards.environments());
    Checks.length("reward", rewards.reward().length, cells, "[step][agent][environment]");
    if (rewards.alive() != null) {
      Checks.length("alive", rewards.alive().length, cells, "[step][agent][environment]");
    }
    if (rewards.episodeLength() != null) {
      Checks.length(
          "episodeLength", rewards.episodeLength().length, rewards.environments(), "[environment]");
    }
    if (rewards.truncated() != null) {
      Checks.length(
          "truncated", rewards.truncated().length, rewards.environments(), "[environment]");
    }
    if (rewards.value() != null) {
      int agents = group.valueNetwork() == null ? 0 : group.valueNetwork().agents();
      Checks.length(
          "value",
          rewards.value().length,
          cells(agents, rewards.steps() + 1, rewards.environments()),
          "[step + 1][value agent][environment]");
    }
    if (rewards.cohortFirst() != null) {
      Checks.range("length of cohortFirst", rewards.cohortFirst().length, 2, Integer.MAX_VALUE);
    }
    return engine.weights(rewards);
  }

  /**
   * The gradient that training would compute from a given batch.
   *
   * @param batch given
   * @return [parameter of the network], mean over the batch's environments, entropy term as
   *     configured
   */
  public float[] gradientOf(Batch batch) {
    Network network = network(Checks.present("batch", batch).network());
    long cells = cells(network.agents, batch.steps(), batch.environments());
    Checks.length(
        "observation",
        batch.observation().length,
        cells * network.features,
        "[step][agent][feature][environment]");
    if (network.actions > 0) {
      Checks.length(
          "action",
          Checks.present("action", batch.action()).length,
          cells,
          "[step][agent][environment]");
    } else if (batch.action() != null || batch.mask() != null) {
      throw new IllegalArgumentException(
          "network is "
              + batch.network()
              + ", a value network, with an action or a mask; allowed: null for both");
    }
    Checks.length("weight", batch.weight().length, cells, "[step][agent][environment]");
    if (batch.alive() != null) {
      Checks.length("alive", batch.alive().length, cells, "[step][agent][environment]");
    }
    if (batch.mask() != null) {
      Checks.length(
          "mask",
          batch.mask().length,
          cells * network.actions,
          "[step][agent][action][environment]");
    }
    return engine.gradientOf(batch);
  }

  /**
   * One repetition, some 20 ms, of independent fused multiply-adds on the engine's threads and
   * instruction set.
   *
   * @return GFLOP/s
   */
  public double fmaPeak() {
    return engine.fmaPeak();
  }

  private Group group(int index) {
    return groups().get(Checks.range("group", index, 0, groups().size() - 1));
  }

  /** The rows that a network takes; a value network has no actions. */
  private record Network(int agents, int features, int actions) {}

  private Network network(int index) {
    int count = groups().size();
    boolean values = groups().getFirst().valueNetwork() != null;
    Group group =
        groups().get(Checks.range("network", index, 0, values ? 2 * count - 1 : count - 1) % count);
    return index < count
        ? new Network(group.agentCount(), group.observationSize(), group.actionCount())
        : new Network(group.valueNetwork().agents(), group.valueNetwork().observationSize(), 0);
  }

  private static long cells(int agents, int steps, int environments) {
    return Math.multiplyExact((long) steps * agents, (long) environments);
  }

  /**
   * Frees everything; closing twice does nothing.
   *
   * @throws BusyException while another thread is inside: cancel it first
   */
  @Override
  public void close() {
    engine.close();
  }
}
