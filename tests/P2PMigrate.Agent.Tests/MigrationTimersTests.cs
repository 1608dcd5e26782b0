using P2PMigrate.Agent.Commands;
using P2PMigrate.Migration;

namespace P2PMigrate.Agent.Tests;

/// <summary>Timers of two assemblies that depend on each other.</summary>
public sealed class MigrationTimersTests
{
    [Fact]
    [Trait("Spec", "CONST-126")]
    public void A_target_waits_for_the_last_word_for_longer_than_a_silent_session_lives() =>
        Assert.True(new MigrationTimers().Linger > PeerConnection.MigrationSilence);
}
