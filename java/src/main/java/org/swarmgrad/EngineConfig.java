// Everything that decides what an engine computes, checked here; which files and how long are the
// Trainer's.
package org.swarmgrad;

import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.Collectors;

/**
 * The configuration of an engine: immutable, complete, and writable as text. Two engines with equal
 * {@link #toMap()} compute the same bits.
 */
public final class EngineConfig {
  private final EnvironmentSpec environment;
  private final JavaEnvironment javaEnvironment;
  private final List<Policy> policies;
  private final long environments;
  private final int horizon;
  private final long seed;
  private final double discount;
  private final Weight weight;
  private final Baseline baseline;
  private final AgentReduction agentReduction;
  private final Scale scale;
  private final double entropyCoefficient;
  private final double gradientClip;
  private final Optimizer optimizer;
  private final double adamBeta1;
  private final double adamBeta2;
  private final double adamEpsilon;
  private final Device device;
  private final int threads;
  private final InstructionSet instructionSet;
  private final Share share;
  private final boolean agentIndex;
  private final List<Policy> valuePolicies;
  private final ValueInput valueInput;
  private final double lambda;
  private final boolean bootstrap;
  private final boolean observationNormalisation;
  private final double rewardScale;
  private final SortedMap<String, Double> trainingParameters;

  private EngineConfig(Builder builder) {
    environment = Checks.present("environment", builder.environment);
    javaEnvironment = builder.javaEnvironment;
    policies = List.copyOf(Checks.present("policy", builder.policies));
    Checks.range("number of policies", policies.size(), 1, Integer.MAX_VALUE);
    environments = Checks.range("environments", builder.environments, 1, Integer.MAX_VALUE);
    horizon = Checks.range("horizon", builder.horizon, 0, Integer.MAX_VALUE);
    seed = builder.seed;
    discount = Checks.range("discount", builder.discount, 0, 1);
    weight = Checks.present("weight", builder.weight);
    baseline = Checks.present("baseline", builder.baseline);
    agentReduction = Checks.present("agent-reduction", builder.agentReduction);
    scale = Checks.present("scale", builder.scale);
    entropyCoefficient =
        Checks.range("entropy-coefficient", builder.entropyCoefficient, 0, Float.MAX_VALUE);
    gradientClip = Checks.range("gradient-clip", builder.gradientClip, 0, Float.MAX_VALUE);
    optimizer = Checks.present("optimizer", builder.optimizer);
    adamBeta1 = Checks.range("adam-beta1", builder.adamBeta1, 0, Math.nextDown(1.0));
    adamBeta2 = Checks.range("adam-beta2", builder.adamBeta2, 0, Math.nextDown(1.0));
    adamEpsilon =
        Checks.range("adam-epsilon", builder.adamEpsilon, Float.MIN_VALUE, Float.MAX_VALUE);
    device = Checks.present("device", builder.device);
    threads = Checks.range("threads", builder.threads, 0, 4096);
    instructionSet = Checks.present("isa", builder.instructionSet);
    share = Checks.present("share", builder.share);
    agentIndex = builder.agentIndex;
    valuePolicies = List.copyOf(Checks.present("value-policy", builder.valuePolicies));
    Checks.range("number of value policies", valuePolicies.size(), 1, Integer.MAX_VALUE);
    valueInput = Checks.present("value-input", builder.valueInput);
    lambda = Checks.range("lambda", builder.lambda, 0, 1);
    bootstrap = builder.bootstrap;
    observationNormalisation = builder.observationNormalisation;
    rewardScale =
        Checks.range("reward-scale", builder.rewardScale, Float.MIN_VALUE, Float.MAX_VALUE);
    builder.trainingParameters.forEach(
        (name, value) -> environment.info().parameter(name).check(value));
    trainingParameters =
        Collections.unmodifiableSortedMap(new TreeMap<>(builder.trainingParameters));
    if (environments == 1 && baseline == Baseline.LEAVE_ONE_OUT) {
      throw new IllegalArgumentException(
          "baseline is leave-one-out with 1 environment, which leaves nothing; allowed: none,"
              + " previous-batch, learned-value, or at least 2 environments");
    }
  }

  /**
   * The default configuration of an environment: 4096 episodes per batch, mlp:64,64, Adam,
   * reward-to-go with the leave-one-out baseline, discount 1, agents summed.
   *
   * @param environment to train in
   * @return the configuration
   */
  public static EngineConfig of(EnvironmentSpec environment) {
    return builder(environment).build();
  }

  /**
   * Starts from the defaults.
   *
   * @param environment to train in
   * @return a builder
   */
  public static Builder builder(EnvironmentSpec environment) {
    return new Builder(environment);
  }

  /**
   * Starts from the defaults.
   *
   * @param environment to train in, for example "simple_spread_v3?agents=5"
   * @return a builder
   */
  public static Builder builder(String environment) {
    return new Builder(EnvironmentSpec.parse(environment));
  }

  /**
   * Starts from the defaults.
   *
   * @param environment to train in, written in Java
   * @return a builder
   */
  public static Builder builder(JavaEnvironment environment) {
    return new Builder(null).environment(environment);
  }

  /**
   * Starts from this configuration.
   *
   * @return a builder
   */
  public Builder toBuilder() {
    Builder builder = new Builder(environment);
    builder.javaEnvironment = javaEnvironment;
    builder.policies = policies;
    builder.environments = environments;
    builder.horizon = horizon;
    builder.seed = seed;
    builder.discount = discount;
    builder.weight = weight;
    builder.baseline = baseline;
    builder.agentReduction = agentReduction;
    builder.scale = scale;
    builder.entropyCoefficient = entropyCoefficient;
    builder.gradientClip = gradientClip;
    builder.optimizer = optimizer;
    builder.adamBeta1 = adamBeta1;
    builder.adamBeta2 = adamBeta2;
    builder.adamEpsilon = adamEpsilon;
    builder.device = device;
    builder.threads = threads;
    builder.instructionSet = instructionSet;
    builder.share = share;
    builder.agentIndex = agentIndex;
    builder.valuePolicies = valuePolicies;
    builder.valueInput = valueInput;
    builder.lambda = lambda;
    builder.bootstrap = bootstrap;
    builder.observationNormalisation = observationNormalisation;
    builder.rewardScale = rewardScale;
    builder.trainingParameters = trainingParameters;
    return builder;
  }

  /**
   * Environment to train in.
   *
   * @return the value
   */
  public EnvironmentSpec environment() {
    return environment;
  }

  /**
   * The environment where it is written in Java, which {@link #toMap()} holds the id of only.
   *
   * @return empty where it is of the catalogue, or where the configuration was read from a file
   */
  public Optional<JavaEnvironment> javaEnvironment() {
    return Optional.ofNullable(javaEnvironment);
  }

  /**
   * One policy shape for every group, or one a group.
   *
   * @return the value
   */
  public List<Policy> policies() {
    return policies;
  }

  /**
   * Episodes per batch, 1 to 2^31 - 1.
   *
   * @return the value
   */
  public long environments() {
    return environments;
  }

  /**
   * Steps of an episode, 0: the environment's own.
   *
   * @return the value
   */
  public int horizon() {
    return horizon;
  }

  /**
   * The seed of everything random, read as unsigned.
   *
   * @return the value
   */
  public long seed() {
    return seed;
  }

  /**
   * 0 to 1; below 1 it is the {@link Weight} that says for which return the gradient is unbiased.
   *
   * @return the value
   */
  public double discount() {
    return discount;
  }

  /**
   * What multiplies each log-probability gradient.
   *
   * @return the value
   */
  public Weight weight() {
    return weight;
  }

  /**
   * What is subtracted from the weight.
   *
   * @return the value
   */
  public Baseline baseline() {
    return baseline;
  }

  /**
   * How agents enter the gradient.
   *
   * @return the value
   */
  public AgentReduction agentReduction() {
    return agentReduction;
  }

  /**
   * Constant that multiplies the weight.
   *
   * @return the value
   */
  public Scale scale() {
    return scale;
  }

  /**
   * Multiplies the gradient of the summed entropy at the visited states (Williams and Peng 1991;
   * Mnih et al. 2016); not the gradient of the expected entropy, of which it is a biased estimate,
   * since later states' dependence on the policy is left out; at least 0. A {@link Trainer} takes
   * each iteration's from its {@link Schedules}; this one is that of {@link Engine#gradient()},
   * {@link Engine#record()} and {@link Engine#gradientOf}.
   *
   * @return the value
   */
  public double entropyCoefficient() {
    return entropyCoefficient;
  }

  /**
   * Largest global norm of a group's gradient, 0: not clipped.
   *
   * @return the value
   */
  public double gradientClip() {
    return gradientClip;
  }

  /**
   * How the gradient changes the parameters.
   *
   * @return the value
   */
  public Optimizer optimizer() {
    return optimizer;
  }

  /**
   * Decay of Adam's first moment, 0 to below 1.
   *
   * @return the value
   */
  public double adamBeta1() {
    return adamBeta1;
  }

  /**
   * Decay of Adam's second moment, 0 to below 1.
   *
   * @return the value
   */
  public double adamBeta2() {
    return adamBeta2;
  }

  /**
   * Added to Adam's denominator, above 0.
   *
   * @return the value
   */
  public double adamEpsilon() {
    return adamEpsilon;
  }

  /**
   * Where the engine runs; by design changes no bit of the result.
   *
   * @return the value
   */
  public Device device() {
    return device;
  }

  /**
   * Worker threads of the CPU engine, 0: one per core that this process may use; changes no bit of
   * the result.
   *
   * @return the value
   */
  public int threads() {
    return threads;
  }

  /**
   * Vector instructions of the CPU engine; changes no bit of the result.
   *
   * @return the value
   */
  public InstructionSet instructionSet() {
    return instructionSet;
  }

  /**
   * Whose policy an agent plays.
   *
   * @return the value
   */
  public Share share() {
    return share;
  }

  /**
   * Whether observations end with the agent's index in its group, one-hot.
   *
   * @return the value
   */
  public boolean agentIndex() {
    return agentIndex;
  }

  /**
   * Hidden layers of the value networks, of the learned-value baseline only: one shape for every
   * group, or one a group.
   *
   * @return the value
   */
  public List<Policy> valuePolicies() {
    return valuePolicies;
  }

  /**
   * What the value networks see, of the learned-value baseline only.
   *
   * @return the value
   */
  public ValueInput valueInput() {
    return valueInput;
  }

  /**
   * How far returns are those that came: 1 takes them as they are, which is unbiased; below 1 the
   * weight, and what the value network aims at, is the lambda-return G_t = r_t + discount ((1 -
   * lambda) V(s_t+1) + lambda G_t+1), which has less variance and is biased unless V is exact
   * (Sutton and Barto 2018, section 12.1; less the baseline it is the generalised advantage of
   * Schulman et al. 2016). Below 1 only with the learned-value baseline, its joint input and
   * reward-to-go.
   *
   * @return the value, 0 to 1
   */
  public double lambda() {
    return lambda;
  }

  /**
   * Whether an episode that the horizon cut goes on with the value network's value of its last
   * state, as if the limit were not part of the task (Pardo et al. 2018). Biased for the return of
   * an episode of that length; false is unbiased for it. Only with the learned-value baseline, its
   * joint input and reward-to-go.
   *
   * @return the value
   */
  public boolean bootstrap() {
    return bootstrap;
  }

  /**
   * Whether networks see (observation - mean) / sqrt(variance + 1e-8), at most 10 in magnitude,
   * with the moments of the group's features over the living agents of all earlier iterations; the
   * first sees observations as they are. Unbiased: the moments are known before the batch, and the
   * gradient is that of the policy they are part of. From iteration to iteration that policy
   * changes with them (moments are merged as by Chan, Golub and LeVeque 1983).
   *
   * @return the value
   */
  public boolean observationNormalisation() {
    return observationNormalisation;
  }

  /**
   * Multiplies the weights, not the returns that are reported. Unbiased: the gradient is that of J
   * times this constant.
   *
   * @return the value, above 0
   */
  public double rewardScale() {
    return rewardScale;
  }

  /**
   * Parameters of the environment that training plays with and evaluation does not: a reward that
   * is shaped while there is something to learn.
   *
   * @return name and value of those that differ from {@link #environment()}
   */
  public SortedMap<String, Double> trainingParameters() {
    return trainingParameters;
  }

  /**
   * Everything that decides the result, as text; device, threads and instruction set do not and are
   * left out.
   *
   * @return names with underscores and values that {@link #fromMap} reads back exactly
   */
  public SortedMap<String, String> toMap() {
    SortedMap<String, String> map = new TreeMap<>();
    map.put("environment", environment.toString());
    environment.source().ifPresent(source -> source.addTo(map));
    map.put("policy", formatPolicies(policies));
    map.put("environments", String.valueOf(environments));
    map.put("horizon", String.valueOf(horizon));
    map.put("seed", Long.toUnsignedString(seed));
    map.put("discount", Checks.number(discount));
    map.put("weight", weight.toString());
    map.put("baseline", baseline.toString());
    map.put("agent_reduction", agentReduction.toString());
    map.put("scale", scale.toString());
    map.put("entropy_coefficient", Checks.number(entropyCoefficient));
    map.put("gradient_clip", Checks.number(gradientClip));
    map.put("optimizer", optimizer.toString());
    map.put("adam_beta1", Checks.number(adamBeta1));
    map.put("adam_beta2", Checks.number(adamBeta2));
    map.put("adam_epsilon", Checks.number(adamEpsilon));
    map.put("share", share.toString());
    map.put("agent_index", String.valueOf(agentIndex));
    map.put("value_policy", formatPolicies(valuePolicies));
    map.put("value_input", valueInput.toString());
    map.put("lambda", Checks.number(lambda));
    map.put("bootstrap", String.valueOf(bootstrap));
    map.put("observation_normalisation", String.valueOf(observationNormalisation));
    map.put("reward_scale", Checks.number(rewardScale));
    map.put("training_parameters", environment.assignments(trainingParameters));
    return Collections.unmodifiableSortedMap(map);
  }

  /**
   * Reads what {@link #toMap()} wrote; device, threads and instruction set get their defaults.
   *
   * @param map may hold other names as well, which are ignored
   * @return the configuration
   * @throws IllegalArgumentException naming what is missing or not allowed
   */
  public static EngineConfig fromMap(Map<String, String> map) {
    EnvironmentSource.restore(map, Labels.text(map, "environment"));
    Builder builder = builder(Labels.text(map, "environment"));
    builder.policies(parsePolicies(Labels.text(map, "policy")));
    builder.environments(Labels.whole(map, "environments", Long::valueOf));
    builder.horizon(Labels.whole(map, "horizon", Integer::valueOf));
    builder.seed(Labels.whole(map, "seed", Long::parseUnsignedLong));
    builder.discount(Labels.number(map, "discount"));
    builder.weight(Weight.parse(Labels.text(map, "weight")));
    builder.baseline(Baseline.parse(Labels.text(map, "baseline")));
    builder.agentReduction(AgentReduction.parse(Labels.text(map, "agent_reduction")));
    builder.scale(Scale.parse(Labels.text(map, "scale")));
    builder.entropyCoefficient(Labels.number(map, "entropy_coefficient"));
    builder.gradientClip(Labels.number(map, "gradient_clip"));
    builder.optimizer(Optimizer.parse(Labels.text(map, "optimizer")));
    builder.adamBeta1(Labels.number(map, "adam_beta1"));
    builder.adamBeta2(Labels.number(map, "adam_beta2"));
    builder.adamEpsilon(Labels.number(map, "adam_epsilon"));
    builder.share(Share.parse(Labels.text(map, "share")));
    builder.agentIndex(Labels.flag(map, "agent_index"));
    builder.valuePolicies(parsePolicies(Labels.text(map, "value_policy")));
    builder.valueInput(ValueInput.parse(Labels.text(map, "value_input")));
    builder.lambda(Labels.number(map, "lambda"));
    builder.bootstrap(Labels.flag(map, "bootstrap"));
    builder.observationNormalisation(Labels.flag(map, "observation_normalisation"));
    builder.rewardScale(Labels.number(map, "reward_scale"));
    String training = Labels.text(map, "training_parameters");
    for (String assignment : training.isEmpty() ? new String[0] : training.split("&", -1)) {
      builder.trainingParameter(assignment);
    }
    return builder.build();
  }

  /**
   * Reads one policy for every group, or one a group separated by ';'.
   *
   * @param text for example "mlp:64,64" or "linear;mlp:32"
   * @return the policies
   * @throws IllegalArgumentException naming the text and what is allowed
   */
  public static List<Policy> parsePolicies(String text) {
    return Arrays.stream(text.split(";", -1)).map(Policy::parse).toList();
  }

  /**
   * Writes what {@link #parsePolicies} reads.
   *
   * @param policies one, or one a group
   * @return the text
   */
  public static String formatPolicies(List<Policy> policies) {
    return policies.stream().map(Policy::toString).collect(Collectors.joining(";"));
  }

  /**
   * What another configuration would compute differently.
   *
   * @param other to compare with
   * @return "name: this value, other value" of every difference; empty where both compute the same
   */
  public List<String> differences(EngineConfig other) {
    Map<String, String> ours = new TreeMap<>(toMap());
    ours.keySet().removeIf(EnvironmentSource::decidesNothing);
    return Labels.differences(ours, other.toMap());
  }

  @Override
  public boolean equals(Object object) {
    return object instanceof EngineConfig other
        && toMap().equals(other.toMap())
        && device.equals(other.device)
        && threads == other.threads
        && instructionSet == other.instructionSet;
  }

  @Override
  public int hashCode() {
    return toMap().hashCode();
  }

  @Override
  public String toString() {
    return toMap().toString();
  }

  /** Collects values; {@link #build()} checks them. */
  public static final class Builder {
    private EnvironmentSpec environment;
    private JavaEnvironment javaEnvironment;
    private List<Policy> policies = List.of(Policy.mlp(64, 64));
    private long environments = 4096;
    private int horizon = 0;
    private long seed = 0;
    private double discount = 1;
    private Weight weight = Weight.REWARD_TO_GO;
    private Baseline baseline = Baseline.LEAVE_ONE_OUT;
    private AgentReduction agentReduction = AgentReduction.SUM;
    private Scale scale = Scale.NONE;
    private double entropyCoefficient = 0;
    private double gradientClip = 0;
    private Optimizer optimizer = Optimizer.ADAM;
    private double adamBeta1 = 0.9;
    private double adamBeta2 = 0.999;
    private double adamEpsilon = 1e-8;
    private Device device = Device.CPU;
    private int threads = 0;
    private InstructionSet instructionSet = InstructionSet.AUTO;
    private Share share = Share.GROUPS;
    private boolean agentIndex = false;
    private List<Policy> valuePolicies = List.of(Policy.mlp(64, 64));
    private ValueInput valueInput = ValueInput.JOINT;
    private double lambda = 1;
    private boolean bootstrap = false;
    private boolean observationNormalisation = false;
    private double rewardScale = 1;
    private SortedMap<String, Double> trainingParameters = new TreeMap<>();

    private Builder(EnvironmentSpec environment) {
      this.environment = environment;
    }

    /**
     * Checks the values.
     *
     * @return the configuration
     * @throws IllegalArgumentException naming the first value that is not allowed
     */
    public EngineConfig build() {
      return new EngineConfig(this);
    }

    /**
     * Sets the environment.
     *
     * @param environment to train in
     * @return this
     */
    public Builder environment(EnvironmentSpec environment) {
      this.environment = environment;
      javaEnvironment = null;
      return this;
    }

    /**
     * Sets the environment.
     *
     * @param environment to train in, written in Java
     * @return this
     */
    public Builder environment(JavaEnvironment environment) {
      this.environment = EnvironmentSpec.of(Checks.present("environment", environment).id());
      javaEnvironment = environment;
      return this;
    }

    /**
     * Sets the same policy shape for every group.
     *
     * @param policy its shape
     * @return this
     */
    public Builder policy(Policy policy) {
      return policies(List.of(Checks.present("policy", policy)));
    }

    /**
     * Sets policies.
     *
     * @param policies one policy shape for every group, or one a group
     * @return this
     */
    public Builder policies(List<Policy> policies) {
      this.policies = policies;
      return this;
    }

    /**
     * Sets environments.
     *
     * @param environments episodes per batch, 1 to 2^31 - 1
     * @return this
     */
    public Builder environments(long environments) {
      this.environments = environments;
      return this;
    }

    /**
     * Sets horizon.
     *
     * @param horizon steps of an episode, 0: the environment's own
     * @return this
     */
    public Builder horizon(int horizon) {
      this.horizon = horizon;
      return this;
    }

    /**
     * Sets seed.
     *
     * @param seed the seed of everything random, read as unsigned
     * @return this
     */
    public Builder seed(long seed) {
      this.seed = seed;
      return this;
    }

    /**
     * Sets discount.
     *
     * @param discount 0 to 1
     * @return this
     */
    public Builder discount(double discount) {
      this.discount = discount;
      return this;
    }

    /**
     * Sets weight.
     *
     * @param weight what multiplies each log-probability gradient
     * @return this
     */
    public Builder weight(Weight weight) {
      this.weight = weight;
      return this;
    }

    /**
     * Sets baseline.
     *
     * @param baseline what is subtracted from the weight
     * @return this
     */
    public Builder baseline(Baseline baseline) {
      this.baseline = baseline;
      return this;
    }

    /**
     * Sets agentReduction.
     *
     * @param agentReduction how agents enter the gradient
     * @return this
     */
    public Builder agentReduction(AgentReduction agentReduction) {
      this.agentReduction = agentReduction;
      return this;
    }

    /**
     * Sets share.
     *
     * @param share whose policy an agent plays
     * @return this
     */
    public Builder share(Share share) {
      this.share = share;
      return this;
    }

    /**
     * Sets agentIndex.
     *
     * @param agentIndex true: observations end with the agent's index in its group, one-hot, so
     *     that agents of one policy can play different parts
     * @return this
     */
    public Builder agentIndex(boolean agentIndex) {
      this.agentIndex = agentIndex;
      return this;
    }

    /**
     * Sets the same hidden layers for the value network of every group.
     *
     * @param policy their shape
     * @return this
     */
    public Builder valuePolicy(Policy policy) {
      return valuePolicies(List.of(Checks.present("value-policy", policy)));
    }

    /**
     * Sets valuePolicies.
     *
     * @param valuePolicies hidden layers of the value networks, of the learned-value baseline only:
     *     one shape for every group, or one a group
     * @return this
     */
    public Builder valuePolicies(List<Policy> valuePolicies) {
      this.valuePolicies = valuePolicies;
      return this;
    }

    /**
     * Sets valueInput.
     *
     * @param valueInput what the value networks see, of the learned-value baseline only
     * @return this
     */
    public Builder valueInput(ValueInput valueInput) {
      this.valueInput = valueInput;
      return this;
    }

    /**
     * Sets lambda.
     *
     * @param lambda 0 to 1: how far returns are those that came; below 1 biased, see {@link
     *     EngineConfig#lambda()}
     * @return this
     */
    public Builder lambda(double lambda) {
      this.lambda = lambda;
      return this;
    }

    /**
     * Sets bootstrap.
     *
     * @param bootstrap true: an episode that the horizon cut goes on with the value of its last
     *     state; biased, see {@link EngineConfig#bootstrap()}
     * @return this
     */
    public Builder bootstrap(boolean bootstrap) {
      this.bootstrap = bootstrap;
      return this;
    }

    /**
     * Sets observationNormalisation.
     *
     * @param observationNormalisation true: networks see observations normalised by the running
     *     moments of earlier iterations, see {@link EngineConfig#observationNormalisation()}
     * @return this
     */
    public Builder observationNormalisation(boolean observationNormalisation) {
      this.observationNormalisation = observationNormalisation;
      return this;
    }

    /**
     * Sets one of trainingParameters. The environment's shapes must stay as they are.
     *
     * @param assignment "name=value", the value a number or the name of a choice
     * @return this
     */
    public Builder trainingParameter(String assignment) {
      EnvironmentSpec changed = environment.withAssignment(assignment);
      String name = assignment.substring(0, assignment.indexOf('='));
      SortedMap<String, Double> more = new TreeMap<>(trainingParameters);
      more.put(name, changed.parameter(name));
      trainingParameters = more;
      return this;
    }

    /**
     * Sets rewardScale.
     *
     * @param rewardScale multiplies the weights, above 0
     * @return this
     */
    public Builder rewardScale(double rewardScale) {
      this.rewardScale = rewardScale;
      return this;
    }

    /**
     * Sets scale.
     *
     * @param scale constant that multiplies the weight
     * @return this
     */
    public Builder scale(Scale scale) {
      this.scale = scale;
      return this;
    }

    /**
     * Sets entropyCoefficient.
     *
     * @param entropyCoefficient multiplies the gradient of the summed entropy at the visited
     *     states, see {@link EngineConfig#entropyCoefficient()}; at least 0
     * @return this
     */
    public Builder entropyCoefficient(double entropyCoefficient) {
      this.entropyCoefficient = entropyCoefficient;
      return this;
    }

    /**
     * Sets gradientClip.
     *
     * @param gradientClip largest global norm of a group's gradient, 0: not clipped
     * @return this
     */
    public Builder gradientClip(double gradientClip) {
      this.gradientClip = gradientClip;
      return this;
    }

    /**
     * Sets optimizer.
     *
     * @param optimizer how the gradient changes the parameters
     * @return this
     */
    public Builder optimizer(Optimizer optimizer) {
      this.optimizer = optimizer;
      return this;
    }

    /**
     * Sets adamBeta1.
     *
     * @param adamBeta1 decay of Adam's first moment, 0 to below 1
     * @return this
     */
    public Builder adamBeta1(double adamBeta1) {
      this.adamBeta1 = adamBeta1;
      return this;
    }

    /**
     * Sets adamBeta2.
     *
     * @param adamBeta2 decay of Adam's second moment, 0 to below 1
     * @return this
     */
    public Builder adamBeta2(double adamBeta2) {
      this.adamBeta2 = adamBeta2;
      return this;
    }

    /**
     * Sets adamEpsilon.
     *
     * @param adamEpsilon added to Adam's denominator, above 0
     * @return this
     */
    public Builder adamEpsilon(double adamEpsilon) {
      this.adamEpsilon = adamEpsilon;
      return this;
    }

    /**
     * Sets the device.
     *
     * @param device where the engine runs; by design changes no bit of the result
     * @return this
     */
    public Builder device(Device device) {
      this.device = device;
      return this;
    }

    /**
     * Sets the first device of a backend.
     *
     * @param backend what the engine runs on
     * @return this
     */
    public Builder backend(Backend backend) {
      return device(new Device(backend, 0));
    }

    /**
     * Sets threads.
     *
     * @param threads worker threads of the CPU engine, 0: one per core that this process may use;
     *     changes no bit of the result
     * @return this
     */
    public Builder threads(int threads) {
      this.threads = threads;
      return this;
    }

    /**
     * Sets instructionSet.
     *
     * @param instructionSet vector instructions of the CPU engine; changes no bit of the result
     * @return this
     */
    public Builder instructionSet(InstructionSet instructionSet) {
      this.instructionSet = instructionSet;
      return this;
    }
  }
}
