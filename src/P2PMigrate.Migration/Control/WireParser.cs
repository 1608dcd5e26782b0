using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using Google.Protobuf;

namespace P2PMigrate.Migration.Control;

/// <summary>Parses protobuf that a peer sent. The library throws on bad bytes; here that becomes a value.</summary>
internal static class WireParser
{
    /// <summary>Reads a whole message; false when the bytes are none.</summary>
    public static bool TryParse<T>(MessageParser<T> parser, ReadOnlySequence<byte> bytes, [NotNullWhen(true)] out T? message)
        where T : class, IMessage<T>
    {
        try
        {
            message = parser.ParseFrom(bytes);
            return true;
        }
        catch (InvalidProtocolBufferException)
        {
            message = null;
            return false;
        }
    }
}
