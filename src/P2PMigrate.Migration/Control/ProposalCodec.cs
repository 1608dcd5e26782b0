using Google.Protobuf;
using P2PMigrate.Migration.Runtime;
using Wire = P2PMigrate.Migration.Messages;

namespace P2PMigrate.Migration.Control;

/// <summary>The proposal, to protobuf and back. The only message that brings more than a few words, so the one with the most bounds.</summary>
internal static class ProposalCodec
{
    /// <summary>For the wire. What only means something on this machine (pid, cgroup) stays here.</summary>
    public static Wire.Propose Wrap(Propose propose)
    {
        var wire = new Wire.Propose
        {
            Version = ControlLimits.Version,
            JobId = ByteString.CopyFrom(propose.JobId.ToBytes()),
            Container = Wrap(propose.Container),
            Machine = Wrap(propose.Machine),
            RootfsBytes = (ulong)propose.RootfsBytes,
        };
        if (propose.MadeAt is { } time && time >= DateTimeOffset.UnixEpoch)
            wire.UnixMs = (ulong)time.ToUnixTimeMilliseconds();
        return wire;
    }

    /// <summary>From the wire: null and a reason when a bound is broken.</summary>
    // spec: MIG-04, MIG-05
    public static Propose? Unwrap(Wire.Propose wire, out string? reason)
    {
        reason = FindFault(wire);
        if (reason is not null
            || !JobId.TryParse(wire.JobId.Span, out JobId job)
            || !ContainerName.TryParse(wire.Container.Name, out ContainerName name))
            return null;
        return new Propose(job, name, Unwrap(wire.Container), Unwrap(wire.Machine), (long)wire.RootfsBytes)
        {
            MadeAt = wire.HasUnixMs ? DateTimeOffset.FromUnixTimeMilliseconds((long)wire.UnixMs) : null,
        };
    }

    private static string? FindFault(Wire.Propose wire) => wire switch
    {
        { Version: not ControlLimits.Version } => $"the source speaks version {wire.Version} of the migration protocol, this peer version {ControlLimits.Version}",
        { JobId.Length: not JobId.Size } => "a job id is not 16 bytes long",
        { Container: null } or { Machine: null } => "the proposal lacks the container or the machine",
        { RootfsBytes: > ControlLimits.MaxClaimedBytes } => "the root file system is larger than anyone's",
        { UnixMs: > ControlLimits.MaxUnixMilliseconds } => "the source's clock shows a time after the year 9999",
        _ => FindFault(wire.Container) ?? FindFault(wire.Machine),
    };

    private static string? FindFault(Wire.Container wire)
    {
        if (!ContainerName.TryParse(wire.Name, out _))
            return "the container's name holds characters that this peer does not take (letters, digits, _ . + - are fine, at most 64)";
        if (!ContainerName.TryParse(wire.Runtime, out _))
            return "the runtime's name is none";
        if (wire.Configuration.Length > ControlLimits.MaxConfigurationLength)
            return "the container's configuration is too large";
        if (wire.BundlePath.Length > ControlLimits.MaxTextLength || wire.RootPath.Length > ControlLimits.MaxTextLength)
            return "a path in the proposal is too long";
        return wire.MemoryBytes > ControlLimits.MaxClaimedBytes || wire.ProcessCount > ControlLimits.MaxProcesses
            ? "the container claims more memory or processes than anyone has" : null;
    }

    private static string? FindFault(Wire.MachineFacts wire)
    {
        bool areWords = wire.CriuVersion.Length <= ControlLimits.MaxWordLength
            && wire.RuntimeVersion.Length <= ControlLimits.MaxWordLength
            && wire.KernelRelease.Length <= ControlLimits.MaxWordLength
            && wire.Architecture.Length <= ControlLimits.MaxWordLength
            && wire.CpuFeatures.Count <= ControlLimits.MaxCpuFeatures
            && wire.CpuFeatures.All(feature => feature.Length <= ControlLimits.MaxWordLength);
        return areWords ? null : "the description of the source's machine is too long";
    }

    private static Wire.Container Wrap(ContainerDescription container) => new()
    {
        Name = container.Name,
        Runtime = container.Runtime,
        BundlePath = WireText.Fit(container.BundlePath),
        RootPath = WireText.Fit(container.RootPath),
        Configuration = ByteString.CopyFrom(container.Configuration.Span),
        MemoryBytes = (ulong)container.MemoryBytes,
        ProcessCount = (uint)container.ProcessCount,
    };

    private static ContainerDescription Unwrap(Wire.Container wire) => new()
    {
        Name = wire.Name,
        Runtime = wire.Runtime,
        BundlePath = WireText.Printable(wire.BundlePath),
        RootPath = WireText.Printable(wire.RootPath),
        Configuration = wire.Configuration.Memory,
        MemoryBytes = (long)wire.MemoryBytes,
        ProcessCount = (int)wire.ProcessCount,
    };

    private static Wire.MachineFacts Wrap(MachineFacts machine)
    {
        var wire = new Wire.MachineFacts
        {
            CriuVersion = machine.CriuVersion,
            RuntimeVersion = machine.RuntimeVersion,
            KernelRelease = machine.KernelRelease,
            Architecture = machine.Architecture,
        };
        wire.CpuFeatures.Add(machine.CpuFeatures.Take(ControlLimits.MaxCpuFeatures));
        return wire;
    }

    private static MachineFacts Unwrap(Wire.MachineFacts wire) => new()
    {
        CriuVersion = WireText.Printable(wire.CriuVersion),
        RuntimeVersion = WireText.Printable(wire.RuntimeVersion),
        KernelRelease = WireText.Printable(wire.KernelRelease),
        Architecture = WireText.Printable(wire.Architecture),
        CpuFeatures = [.. wire.CpuFeatures.Select(feature => WireText.Printable(feature))],
    };
}
