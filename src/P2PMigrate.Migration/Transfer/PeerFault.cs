using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using Google.Protobuf;
using P2PMigrate.Migration.Control;

namespace P2PMigrate.Migration.Transfer;

/// <summary>What the peer did wrong on a bulk stream. Parsers return reasons; here a reason becomes the end of the transfer.</summary>
internal static class PeerFault
{
    /// <summary>The peer did <paramref name="what"/>.</summary>
    public static MigrationException Of(string what) => new(MigrationFault.PeerBrokeProtocol, $"The peer broke the protocol: it {what}.");

    /// <summary>A stream ended where more was due.</summary>
    public static MigrationException EndedEarly() => Of("ended a stream in the middle");

    /// <summary>Parses a protobuf record or ends the transfer.</summary>
    public static T Parse<T>(MessageParser<T> parser, byte[] record)
        where T : class, IMessage<T> =>
        WireParser.TryParse(parser, new ReadOnlySequence<byte>(record), out T? message)
            ? message : throw Of($"sent a {typeof(T).Name} that is not valid");

    /// <summary>Ends the transfer unless <paramref name="isTrue"/>.</summary>
    public static void Require([DoesNotReturnIf(false)] bool isTrue, string what)
    {
        if (!isTrue)
            throw Of(what);
    }
}
