// What a replay must know of a family of recorded environments beyond the file and the catalogue.
package org.swarmgrad.cli.trace;

import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Consumer;
import java.util.regex.Pattern;

/**
 * A family of recorded environments: which ids it has, how its parameters are called here, what its
 * recorded values are and how closely they must agree. Recorded values that are not listed are
 * parts of the state under the same name.
 *
 * @param ids as references write them
 * @param environment of the catalogue that stands for the family; parameters come from the file
 * @param parameters reads the recorded ones
 * @param exact whether episodes are replayed whole, and state and observations must be equal;
 *     otherwise every step starts from the recorded state, so that rounding does not add up
 * @param withoutNull whether episodes that contain null (not a number) are left out
 * @param rounding which differences of rewards are a matter of rounding, or null
 * @param columns recorded values by name
 */
record World(
    Pattern ids,
    String environment,
    Consumer<Parameters> parameters,
    boolean exact,
    boolean withoutNull,
    Contacts rounding,
    Map<String, Column> columns) {
  /** Where a step holds this, the reference's outcome depends on the order of its own sets. */
  static final String TIE = "order_tie";

  /** Observations of which only the entries that are not zero are recorded. */
  static final String SPARSE_OBSERVATIONS = "obs_nz";

  /** The end as Gymnasium records it: by the rules, or by the number of steps. */
  static final Map<String, Column> TERMINATED_OR_TRUNCATED =
      Map.of(
          "terminated",
          (Column.Check) (moment, name, value) -> moment.ended(name, value, moment.isDone()),
          "truncated",
          (Column.Check) (moment, name, value) -> moment.ended(name, value, moment.isLast()));

  /** The end as one value, whatever its cause. */
  static final Map<String, Column> DONE =
      Map.of(
          "done",
          (Column.Check)
              (moment, name, value) ->
                  moment.ended(name, value, moment.isDone() || moment.isLast()),
          "truncated",
          (Column.Check) (moment, name, value) -> moment.ended(name, value, false));

  private static final Map<String, Column> EVERYWHERE =
      Map.of(
          "action", Column.ignored(),
          "reward", (Column.Check) Moment::rewards,
          "obs", (Column.Check) Moment::observations);

  World {
    Map<String, Column> all = new HashMap<>(EVERYWHERE);
    all.putAll(columns);
    columns = Map.copyOf(all);
  }

  /** `first` with `more`. */
  static Map<String, Column> columns(Map<String, Column> first, Map<String, Column> more) {
    Map<String, Column> all = new HashMap<>(first);
    all.putAll(more);
    return all;
  }

  /** What every recorded step has to hold; sparse observations stand in some steps only. */
  Set<String> required() {
    Set<String> names = new TreeSet<>(Set.of("action", "reward"));
    names.addAll(columns.containsKey("done") ? Set.of("done") : TERMINATED_OR_TRUNCATED.keySet());
    if (!columns.containsKey(SPARSE_OBSERVATIONS)) {
      names.add("obs");
    }
    return names;
  }

  Column column(String name) {
    return columns.getOrDefault(name, Column.state(name));
  }

  /** |found - recorded| of state and observation is at most this x max(1, |recorded|). */
  double tolerance() {
    return exact ? 0 : 1e-5;
  }

  /** |found - recorded| of rewards is at most this. */
  double rewardTolerance() {
    return exact ? 1e-6 : 1e-4;
  }
}
