// The native engine as a Java object: batches, gradients, optimizer steps, evaluation and state;
// the loop is the Trainer's.
package org.swarmgrad;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import org.swarmgrad.internal.NativeEngine;

/**
 * An open engine. It takes all memory when opened and serves one thread at a time: a second one
 * gets a {@link BusyException}; {@link #cancel()} and {@link #progress()} may be called from any
 * thread. After {@link #close()} every call throws an {@link IllegalStateException}.
 */
public final class Engine implements AutoCloseable {
  private static final System.Logger LOGGER = System.getLogger("org.swarmgrad");
  private static final AtomicBoolean FALLBACK_IS_SAID = new AtomicBoolean();

  private final EngineConfig config;
  private final Device device;
  private final NativeEngine engine;
  private final List<Buffer> buffers;
  private final Buffer parameters;
  private final Buffer iteration;

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
   * Runs complete iterations in one native call: batch, gradient, optimizer.
   *
   * @param learningRates one an iteration, at least one
   * @return [iteration][group]
   * @throws CancelledException with the parameters of the last complete iteration
   * @throws NumericException naming iteration, environment, agent and step
   */
  public List<List<Statistics>> train(double... learningRates) {
    Checks.range("number of iterations", learningRates.length, 1, Integer.MAX_VALUE);
    for (double rate : learningRates) {
      Checks.range("learning-rate", rate, 0, Float.MAX_VALUE);
    }
    return engine.train(learningRates);
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
   * @param learningRate at least 0
   */
  public void step(Gradient gradient, double learningRate) {
    step(Checks.present("gradient", gradient).values(), learningRate);
  }

  /**
   * Clips and applies a gradient from anywhere.
   *
   * @param gradient [parameter], an ascent direction
   * @param learningRate at least 0
   */
  public void step(float[] gradient, double learningRate) {
    Checks.length(
        "gradient",
        Checks.present("gradient", gradient).length,
        info().parameterCount(),
        "[parameter]");
    Checks.range("learning-rate", learningRate, 0, Float.MAX_VALUE);
    engine.step(gradient, learningRate);
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
      double elements =
          (double) info().horizon() * group.agentCount() * widest * config.environments();
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
   * @param acting how actions are chosen
   * @return [group]
   */
  public List<Statistics> evaluate(long firstEpisode, long episodes, Acting acting) {
    Checks.range("first episode", firstEpisode, 0, Long.MAX_VALUE);
    Checks.range("episodes", episodes, 1, Integer.MAX_VALUE);
    return engine.evaluate(firstEpisode, episodes, Checks.present("acting", acting));
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
   * The parameters of every group.
   *
   * @return [parameter], a copy; group by group, layer by layer: weight [output][input], then bias
   *     [output]
   */
  public float[] parameters() {
    float[] values = new float[(int) parameters.count()];
    readBuffer(parameters).asFloatBuffer().get(values);
    return values;
  }

  /**
   * Replaces the parameters of every group.
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
   * Runs a group's policy on given observations.
   *
   * @param group index of the group
   * @param observation [row][feature]
   * @return hidden activations and logits
   */
  public Forward forward(int group, float[] observation) {
    int features = group(group).observationSize();
    int rows = Checks.present("observation", observation).length / features;
    Checks.range("rows of observation", rows, 1, Integer.MAX_VALUE);
    Checks.length(
        "observation", observation.length, (long) rows * features, "[row][" + features + "]");
    return engine.forward(group, rows, observation);
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
   * @return [step][agent][environment], 0 where not alive
   */
  public float[] weights(Rewards rewards) {
    Group group = group(Checks.present("rewards", rewards).group());
    long cells = cells(group, rewards.steps(), rewards.environments());
    Checks.length("reward", rewards.reward().length, cells, "[step][agent][environment]");
    if (rewards.alive() != null) {
      Checks.length("alive", rewards.alive().length, cells, "[step][agent][environment]");
    }
    if (rewards.episodeLength() != null) {
      Checks.length(
          "episodeLength", rewards.episodeLength().length, rewards.environments(), "[environment]");
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
   * @return [parameter of the group], mean over the batch's environments, entropy term as
   *     configured
   */
  public float[] gradientOf(Batch batch) {
    Group group = group(Checks.present("batch", batch).group());
    long cells = cells(group, batch.steps(), batch.environments());
    Checks.length(
        "observation",
        batch.observation().length,
        cells * group.observationSize(),
        "[step][agent][feature][environment]");
    Checks.length("action", batch.action().length, cells, "[step][agent][environment]");
    Checks.length("weight", batch.weight().length, cells, "[step][agent][environment]");
    if (batch.alive() != null) {
      Checks.length("alive", batch.alive().length, cells, "[step][agent][environment]");
    }
    if (batch.mask() != null) {
      Checks.length(
          "mask",
          batch.mask().length,
          cells * group.actionCount(),
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

  private static long cells(Group group, int steps, int environments) {
    return Math.multiplyExact((long) steps * group.agentCount(), (long) environments);
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
