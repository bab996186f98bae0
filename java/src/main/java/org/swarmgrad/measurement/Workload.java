// Names a configuration in the history: the same names whoever measured it.
package org.swarmgrad.measurement;

import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import org.swarmgrad.Backend;
import org.swarmgrad.Engine;
import org.swarmgrad.EngineConfig;

/** What an engine was measured doing. */
public final class Workload {
  /** Measured where no environment is named. */
  public static final String DEFAULT_ENVIRONMENT = "simple_spread_v3";

  private Workload() {}

  /**
   * The parameters of an engine's results: sizes, the processor in use, and every other value that
   * is not the default. The seed is left out.
   *
   * @param engine that is measured
   * @return values by name
   */
  public static SortedMap<String, String> parameters(Engine engine) {
    EngineConfig config = engine.config();
    SortedMap<String, String> parameters = new TreeMap<>();
    Map<String, String> defaults = EngineConfig.builder(config.environment()).build().toMap();
    config
        .toMap()
        .forEach(
            (name, value) -> {
              if (!name.equals("seed") && !value.equals(defaults.get(name))) {
                parameters.put(name, value);
              }
            });
    parameters.put("environment", config.environment().toString());
    parameters.put("policy", EngineConfig.formatPolicies(config.policies()));
    parameters.put("environments", String.valueOf(config.environments()));
    if (engine.device().backend() == Backend.CPU) {
      parameters.put("threads", String.valueOf(engine.info().threads()));
      parameters.put("isa", engine.info().instructionSet().toString());
    } else {
      parameters.put("device", engine.processor());
    }
    return parameters;
  }
}
