using P2PMigrate.Agent.Tests.Peers;
using P2PMigrate.Lab;

namespace P2PMigrate.Agent.Tests.Faults;

/// <content>Scripts that end with an exit code: ours, which CRIU runs, and those of the container's configuration, which runc runs.</content>
internal abstract partial record Fault
{
    private const string Marker = "/tmp/hook-has-failed";

    /// <summary>Our script at one of CRIU's actions. It is changed between being written and being run.</summary>
    private sealed record HookFailure(string Name, bool AtTarget, string Action) : Fault(Name)
    {
        private const string Jobs = "/var/lib/p2pmigrate/jobs";
        private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(30);

        public static IReadOnlyList<string> OfDump { get; } = ["pre-dump", "network-lock", "post-dump", "network-unlock"];

        public static IReadOnlyList<string> OfRestore { get; } = ["pre-restore", "setup-namespaces", "post-setup-namespaces", "post-restore", "pre-resume", "post-resume"];

        public override async Task<bool> HappenAsync(MigrationPeers peers, LabProcess migrate)
        {
            VirtualHost host = AtTarget ? peers.Target : peers.Source;
            migrate.Signal(UnixSignal.Continue);
            peers.Receive!.Signal(UnixSignal.Continue);
            for (long deadline = Environment.TickCount64 + (long)s_limit.TotalMilliseconds; Environment.TickCount64 < deadline && !migrate.HasExited; await Task.Delay(1))
            {
                if (Find(host) is not { } script)
                    continue;
                Spoil(script);
                return true;
            }

            return false;
        }

        public override Task<bool> WasHitAsync(MigrationPeers peers) => Task.FromResult(File.Exists((AtTarget ? peers.Target : peers.Source).PathOf(Marker)));

        /// <summary>The script, once it can be run, which it is as soon as it is whole.</summary>
        private string? Find(VirtualHost host)
        {
            try
            {
                return Directory.EnumerateDirectories(host.PathOf(Jobs)).Select(job => Path.Combine(job, "work", AtTarget ? "hook" : "dump-hook"))
                    .FirstOrDefault(script => File.Exists(script) && File.GetUnixFileMode(script).HasFlag(UnixFileMode.UserExecute));
            }
            catch (IOException)
            {
                return null; // There is no such directory yet.
            }
        }

        private void Spoil(string script)
        {
            string[] lines = File.ReadAllLines(script);
            string other = script + "-spoilt";
            File.WriteAllLines(other, [lines[0], $"if [ \"$CRTOOLS_SCRIPT_ACTION\" = {Action} ]; then : > {Marker}; exit 7; fi", .. lines[1..]]);
            File.SetUnixFileMode(other, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            File.Move(other, script, overwrite: true);
        }
    }

    /// <summary>A hook of the container's configuration: it succeeds where the container was started and fails where it arrives.</summary>
    private sealed record BundleHookFailure(string Name, string Kind) : Fault(Name)
    {
        private const string Script = "/usr/local/bin/bundle-hook";

        public static IReadOnlyList<string> Kinds { get; } = ["prestart", "createRuntime", "poststart", "poststop"];

        public override (string Kind, string Program)? BundleHook => (Kind, Script);

        public override async Task PrepareAsync(MigrationPeers peers)
        {
            await peers.Source.ShellAsync($"printf '#!/bin/sh\nexit 0\n' > {Script}; chmod +x {Script}");
            await peers.Target.ShellAsync($"printf '#!/bin/sh\n: > {Marker}\nexit 3\n' > {Script}; chmod +x {Script}");
        }

        // runc runs some kinds when it restores and others not; what matters is what becomes of the container.
        public override bool MustHit(string moment) => false;

        public override Task<bool> HappenAsync(MigrationPeers peers, LabProcess migrate) => Task.FromResult(true);

        public override Task<bool> WasHitAsync(MigrationPeers peers) => Task.FromResult(File.Exists(peers.Target.PathOf(Marker)));
    }
}
