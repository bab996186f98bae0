// The environments that tests of the whole catalogue go through; asserts nothing.
package org.swarmgrad;

import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * Every environment of the catalogue as its id says, and members of families that differ in more
 * than size. A new environment is among them without a word here.
 */
public final class Catalogue {
  /** Long enough for deaths and early ends, short enough for every environment. */
  private static final int LONGEST_HORIZON = TestDevice.amount(30, 12);

  private static final List<String> MORE =
      List.of(
          "simple_tag_v3?num_good=2&num_adversaries=2&num_obstacles=1",
          "Foraging-2s-6x6-3p-2f-coop-v3?mask=1&penalty=0.1",
          "rware-tiny-5ag-hard-v2?reward_type=two-stage",
          "overcooked_coord_ring?shaped_reward=1",
          "smax_2s3z",
          "stag_hunt?rounds=8&players=3");

  /** Not those that other tests of this process compiled: some of them never return. */
  public static Stream<EnvironmentSpec> environments() {
    return Stream.concat(
        Swarmgrad.environments().stream()
            .map(EnvironmentInfo::id)
            .map(EnvironmentSpec::of)
            .filter(environment -> environment.source().isEmpty()),
        MORE.stream().map(EnvironmentSpec::parse));
  }

  /** One configuration each, the weights and baselines in turn, and one of a shared policy. */
  public static Stream<EngineConfig> configurations() {
    List<EnvironmentSpec> all = environments().toList();
    Baseline[] baselines = Baseline.values();
    Stream<EngineConfig> each =
        IntStream.range(0, all.size())
            .mapToObj(
                index ->
                    EngineConfig.builder(all.get(index))
                        .policy(Policy.mlp(6))
                        .environments(18)
                        .horizon(horizon(all.get(index)))
                        .weight(Weight.values()[index % Weight.values().length])
                        .baseline(
                            baselines[(index + index / Weight.values().length) % baselines.length])
                        .valuePolicy(Policy.mlp(5))
                        .valueInput(ValueInput.OWN)
                        .observationNormalisation(index % 2 == 0)
                        .discount(0.97)
                        .entropyCoefficient(0.01)
                        .seed(1)
                        .device(TestDevice.DEVICE)
                        .threads(2)
                        .build());
    EngineConfig shared =
        EngineConfig.builder("stag_hunt?rounds=8&players=3")
            .policy(Policy.mlp(6))
            .environments(18)
            .share(Share.ALL)
            .agentIndex(true)
            .baseline(Baseline.LEARNED_VALUE)
            .valuePolicy(Policy.mlp(5))
            .lambda(0.9)
            .bootstrap(true)
            .observationNormalisation(true)
            .device(TestDevice.DEVICE)
            .seed(1)
            .build();
    return Stream.concat(each, Stream.of(shared));
  }

  private static int horizon(EnvironmentSpec environment) {
    try (Simulator simulator = Simulator.open(environment, 0, InstructionSet.AUTO)) {
      return Math.min(LONGEST_HORIZON, simulator.horizon());
    }
  }

  private Catalogue() {}
}
