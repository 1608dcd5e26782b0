using System.Buffers;
using P2PMigrate.Migration.Control;
using P2PMigrate.Migration.Runtime;

namespace P2PMigrate.Migration.Tests.Control;

public sealed class HostileControlTests
{
    private static readonly ContainerDescription s_container = new()
    {
        Name = "web", Runtime = "runc", BundlePath = "/b", RootPath = "/b/rootfs", Configuration = new byte[] { 1, 2, 3 }, MemoryBytes = 5, ProcessCount = 2,
    };

    private static readonly MachineFacts s_machine = new()
    {
        CriuVersion = "4.2.1", RuntimeVersion = "1.3", KernelRelease = "6.18", Architecture = "x86_64", CpuFeatures = ["avx", "sse"],
    };

    private static ControlMessage[] Messages =>
    [
        new Propose(JobId.Create(), Name, s_container, s_machine, 1000),
        new Propose(JobId.Create(), Name, s_container, s_machine, 1000) { MadeAt = DateTimeOffset.FromUnixTimeMilliseconds(1_800_000_000_123) },
        new Accept(),
        new Accept { Costs = new DowntimeCosts(TimeSpan.FromMilliseconds(250), TimeSpan.FromMicroseconds(12), 7) },
        new Refuse("no", [new Finding(FindingSeverity.Blocker, "cpu", "old", "buy"), new Finding(FindingSeverity.Good, "criu", "fine")]),
        new Prepare(),
        new LeaseRequest(7),
        new Prepared(7, new PrepareTimes(TimeSpan.FromMilliseconds(1), TimeSpan.FromMilliseconds(2), TimeSpan.FromMilliseconds(3), TimeSpan.FromMilliseconds(4))),
        new StillPrepared(8),
        new Commit(),
        new Running(TimeSpan.FromMilliseconds(5)),
        new Done(),
        new Abort("why"),
        new Inquiry(new JobId(7)),
        new Fate(JobFate.Gone),
        new Answer([new Finding(FindingSeverity.Good, "criu", "fine"), new Finding(FindingSeverity.Blocker, "disk", "small", "Make room there.")]),
    ];

    private static ContainerName Name => ContainerName.TryParse("web", out ContainerName name) ? name : default;

    [Fact]
    public void Every_message_survives_the_wire()
    {
        foreach (ControlMessage message in Messages)
        {
            Assert.True(TryDecode(ControlCodec.Encode(message), out ControlMessage? decoded, out string? reason), reason);
            Assert.Equal(message.GetType(), decoded!.GetType());
            Assert.Equal(ControlCodec.Encode(message), ControlCodec.Encode(decoded));
        }
    }

    [Fact]
    [Trait("Spec", "MIG-03")]
    public void Truncation_at_every_length_gives_a_message_or_a_reason()
    {
        foreach (byte[] bytes in Messages.Select(ControlCodec.Encode))
        {
            for (int length = 0; length < bytes.Length; length++)
                AssertMessageOrReason(bytes[..length]);
        }
    }

    [Fact]
    [Trait("Spec", "MIG-03")]
    public void Changed_and_random_bytes_give_a_message_or_a_reason()
    {
        const int Seed = 20261123;
        var random = new Random(Seed);
        foreach (byte[] bytes in Messages.Select(ControlCodec.Encode))
        {
            for (int round = 0; round < 3000; round++)
            {
                byte[] changed = [.. bytes];
                for (int change = random.Next(1, 5); change > 0 && changed.Length > 0; change--)
                    changed[random.Next(changed.Length)] = (byte)random.Next(256);
                AssertMessageOrReason(changed);
                byte[] noise = new byte[random.Next(64)];
                random.NextBytes(noise);
                AssertMessageOrReason(noise);
            }
        }
    }

    public static TheoryData<string, string> BadProposals => new()
    {
        { "name", "../etc" }, { "name", "" }, { "name", "a/b" }, { "name", "a\0b" }, { "name", new string('a', 65) }, { "name", ".." },
        { "runtime", "../../bin/sh" }, { "bundle", new string('x', 5000) }, { "config", "" }, { "memory", "" }, { "rootfs", "" }, { "features", "" }, { "kernel", new string('k', 300) }, { "clock", "" },
    };

    [Theory]
    [MemberData(nameof(BadProposals))]
    [Trait("Spec", "MIG-04")]
    public void A_proposal_out_of_bounds_is_refused_with_a_reason(string what, string text)
    {
        ContainerDescription container = what switch
        {
            "name" => s_container with { Name = text },
            "runtime" => s_container with { Runtime = text },
            "config" => s_container with { Configuration = new byte[ControlLimits.MaxConfigurationLength + 1] },
            "memory" => s_container with { MemoryBytes = -1 },
            _ => s_container,
        };
        MachineFacts machine = what switch
        {
            "features" => s_machine with { CpuFeatures = [new string('f', 300)] },
            "kernel" => s_machine with { KernelRelease = text },
            _ => s_machine,
        };
        var wire = P2PMigrate.Migration.Messages.ControlMessage.Parser.ParseFrom(
            ControlCodec.Encode(new Propose(JobId.Create(), Name, container, machine, what == "rootfs" ? -1 : 0)));
        if (what == "bundle")
            wire.Propose.Container.BundlePath = text;
        if (what == "clock")
            wire.Propose.UnixMs = ulong.MaxValue;

        Assert.False(TryDecode(Google.Protobuf.MessageExtensions.ToByteArray(wire), out _, out string? reason));
        Assert.NotEmpty(reason!);
    }

    [Theory]
    [InlineData(null)]
    [InlineData(0L)]
    [InlineData(1_800_000_000_123L)]
    [InlineData(ControlLimits.MaxUnixMilliseconds)]
    [Trait("Spec", "MIG-185")]
    public void A_proposal_tells_the_sources_time_of_day_or_does_not(long? unixMs)
    {
        DateTimeOffset? time = unixMs is { } ms ? DateTimeOffset.FromUnixTimeMilliseconds(ms) : null;

        Assert.True(TryDecode(ControlCodec.Encode(new Propose(JobId.Create(), Name, s_container, s_machine, 1000) { MadeAt = time }), out ControlMessage? message, out _));

        Assert.Equal(time, Assert.IsType<Propose>(message).MadeAt);
    }

    [Fact]
    public void Another_version_is_refused_and_named()
    {
        var wire = P2PMigrate.Migration.Messages.ControlMessage.Parser.ParseFrom(ControlCodec.Encode(Messages[0]));
        wire.Propose.Version = 9;

        Assert.False(TryDecode(Google.Protobuf.MessageExtensions.ToByteArray(wire), out _, out string? reason));
        Assert.Contains("version 9", reason, StringComparison.Ordinal);
    }

    [Fact]
    public void The_peers_words_cannot_paint_the_terminal()
    {
        Assert.True(TryDecode(ControlCodec.Encode(new Abort("a\u001b[31mred\r\nb")), out ControlMessage? message, out _));
        Assert.Equal("a [31mred  b", Assert.IsType<Abort>(message).Reason);
    }

    private static void AssertMessageOrReason(byte[] bytes)
    {
        if (!TryDecode(bytes, out _, out string? reason))
            Assert.NotEmpty(reason!);
    }

    private static bool TryDecode(byte[] bytes, out ControlMessage? message, out string? reason) =>
        ControlCodec.TryDecode(new ReadOnlySequence<byte>(bytes), out message, out reason);
}
