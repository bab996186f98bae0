/** Trains policies shared by teams of agents: the public, small API. */
package org.swarmgrad;
