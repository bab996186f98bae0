// The catalogue's `meeting` once more, in Java: so that a test can demand the bits of the native
// form.
package org.swarmgrad;

import java.util.List;

public class JavaMeeting implements Environment {
  private final int[][] cell = new int[2][Cohort.MAXIMUM];

  @Override
  public List<Agents> groups() {
    return List.of(new Agents("agent", 2, 9, 3));
  }

  @Override
  public int horizon() {
    return 2;
  }

  @Override
  public void reset(Cohort cohort) throws Exception {
    for (int e = 0; e < cohort.episodes(); e++) {
      float u = cohort.uniform(e);
      cell[0][e] = u < 0.8f ? 0 : 2;
      cell[1][e] = u < 0.5f ? 2 : 1;
    }
  }

  @Override
  public void observe(Cohort cohort) throws Exception {
    for (int agent = 0; agent < 2; agent++) {
      for (int e = 0; e < cohort.episodes(); e++) {
        for (int feature = 0; feature < 9; feature++) {
          boolean here = feature == 3 * cell[agent][e] + cell[1 - agent][e];
          cohort.observe(agent, feature, e, here ? 1 : 0);
        }
      }
    }
  }

  @Override
  public void step(Cohort cohort) throws Exception {
    for (int e = 0; e < cohort.episodes(); e++) {
      for (int agent = 0; agent < 2; agent++) {
        cell[agent][e] = Math.clamp(cell[agent][e] + cohort.action(agent, e) - 1, 0, 2);
      }
      for (int agent = 0; agent < 2; agent++) {
        int other = 1 - agent;
        float meet = cell[0][e] == cell[1][e] ? 1 : 0;
        float gift = cohort.action(other, e) == 2 ? 1 : 0;
        float cost = cell[other][e] == 0 ? 1 : 0;
        cohort.reward(agent, e, meet + 0.7f * gift - 0.3f * cost);
      }
    }
  }
}
